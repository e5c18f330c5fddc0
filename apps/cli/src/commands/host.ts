// skein host …

import pc from 'picocolors';
import { path, type Json } from '../client/api';
import { fields, time } from '../output/table';
import { counted, formatDuration } from '../output/units';
import { demandConsent, type Session } from '../session';

export async function list({ api, out }: Session) {
  const hosts = await api.list('/v1/hosts', 'hosts');
  out.show({ hosts }, () =>
    out.table(
      ['name', 'state', 'vtep', 'networks', 'endpoints', 'programmed', 'repairs', 'since'],
      hosts.map((each) => [
        each.name,
        stateText(each),
        each.vtep,
        each.networks,
        each.endpoints,
        each.programmed,
        each.repairs,
        time(each.since),
      ]),
      'no hosts; each host registers itself when its agent starts',
    ),
  );
}

export async function show({ api, out }: Session, host: string) {
  out.show(await api.get(path`/v1/hosts/${host}`), (found: Json) =>
    fields([
      ['name', found.name],
      ['id', found.id],
      ['state', `${stateText(found)} since ${time(found.since)}`],
      ['reason', found.reason],
      ['downs lately', flapText(found)],
      ['vtep', found.vtep],
      ['gossip', found.gossip],
      ['udp blocked', blockedText(found.udpBlockedFrom)],
      ['underlay mtu', found.underlayMtu],
      ['peers say', opinionsText(found.opinions)],
      ['lease', leaseText(found.lease, found.epoch)],
      ['boot', `${found.bootId}, the ${found.epoch}. known`],
      ['networks', found.networks],
      ['endpoints', found.endpoints],
      ['programmed', found.programmed],
      ['repairs', found.repairs],
      ['kept out', droppedText(found.dropped)],
      ['revision', found.revision],
    ]),
  );
}

/** Nothing where no frame was kept out. */
export function droppedText(dropped: Json | undefined): string | undefined {
  const { spoofed = 0, strangers = 0 } = dropped ?? {};
  const texts = [
    ...(spoofed === 0
      ? []
      : [`${counted(spoofed, 'frame')} of its endpoints with a source not theirs`]),
    ...(strangers === 0 ? [] : [`${counted(strangers, 'frame')} from hosts that are no members`]),
  ];
  return texts.length === 0 ? undefined : texts.join(', ');
}

/** Shows what goes with the host before it asks. */
export async function remove(
  { api, out }: Session,
  host: string,
  options: { yes?: boolean; dryRun?: boolean },
) {
  if (options.dryRun === true) {
    const { preview } = await api.delete(path`/v1/hosts/${host}`, { dryRun: true });
    out.show(preview, () => holdingsText(out, preview, 'releases nothing'));
    return;
  }
  const isAsked = options.yes !== true && process.stdin.isTTY && process.stderr.isTTY;
  if (isAsked) {
    const { preview } = await api.delete(path`/v1/hosts/${host}`, { dryRun: true });
    process.stderr.write(`${holdingsText(out, preview, 'it holds nothing')}\n`);
    process.stderr.write(
      'Containers that still run there keep these addresses: be sure that it is off.\n',
    );
  }
  const question = `Remove host ${host} and release all that it holds?`;
  if (!(await demandConsent(question, options.yes ?? false))) return;
  const gone = await api.delete(path`/v1/hosts/${host}`);
  out.show(gone, () => `removed ${host}, ${counted(gone.releasedEndpoints, 'endpoint')} released`);
}

export async function readmit({ api, out }: Session, host: string) {
  const done = await api.post(path`/v1/hosts/${host}:readmit`, {});
  out.show(done, () => `${host} may register again; what it held stays released`);
}

export async function drain(session: Session, host: string) {
  await setDraining(session, host, 'drain');
}

export async function undrain(session: Session, host: string) {
  await setDraining(session, host, 'undrain');
}

async function setDraining({ api, out }: Session, host: string, verb: 'drain' | 'undrain') {
  const done = await api.post(
    verb === 'drain' ? path`/v1/hosts/${host}:drain` : path`/v1/hosts/${host}:undrain`,
    {},
  );
  out.show(done, () => {
    const takes = verb === 'drain' ? 'takes no new endpoints' : 'takes endpoints again';
    if (verb === 'undrain') return `${done.host.name} ${takes}`;
    return `${done.host.name} ${takes}\n${holdingsText(out, done.remaining, 'nothing remains there')}`;
  });
}

function holdingsText(out: Session['out'], held: Json, nothing: string): string {
  if (held.counts.endpoints === 0) return nothing;
  const rows = held.endpoints.map((each: Json) => [
    each.network,
    each.name,
    each.addresses.join(' '),
    each.names.join(' '),
  ]);
  const { networks, endpoints, addresses, names } = held.counts;
  const counts =
    `${counted(endpoints, 'endpoint')}, ${counted(addresses, 'address', 'addresses')} and ` +
    `${counted(names, 'name')} on ${counted(networks, 'network')}`;
  const more = endpoints - held.endpoints.length;
  const tail = more > 0 ? `\n… and ${counted(more, 'more endpoint')}` : '';
  return `${out.table(['network', 'endpoint', 'addresses', 'names'], rows, nothing)}${tail}\n\n${counts}`;
}

export async function networks({ api, out }: Session, host: string) {
  const found = await api.get(path`/v1/hosts/${host}/networks`);
  out.show(found, () => {
    const rows = found.networks.map((each: Json) => [each.name, each.id, each.vni, each.endpoints]);
    const shown = out.table(['name', 'id', 'vni', 'endpoints'], rows, 'takes part in no network');
    return `${shown}\n\nprogrammed revision ${found.programmed} of ${found.revision}`;
  });
}

/** Undefined: no line is shown. */
function blockedText(from: readonly string[] | undefined): string | undefined {
  if (from === undefined) return undefined;
  return pc.yellow(`from ${from.join(', ')}: only TCP gets through, so the overlay's UDP may not`);
}

function stateText({ state, isDraining }: Json): string {
  const text = state === 'up' ? pc.green(state) : pc.red(state);
  return isDraining === true ? `${text}, drained` : text;
}

function opinionsText(opinions: Json | undefined): string | undefined {
  if (opinions === undefined) return undefined;
  const { alive, suspect, dead } = opinions;
  const doubts = [
    ...(suspect.length === 0 ? [] : [`suspect: ${suspect.join(', ')}`]),
    ...(dead.length === 0 ? [] : [`dead: ${dead.join(', ')}`]),
  ];
  const text = [`alive: ${alive} of them`, ...doubts].join('; ');
  return doubts.length === 0 ? text : pc.yellow(text);
}

/** `epoch`: the host's own, which a lease of an earlier boot does not have. */
export function leaseText(lease: Json | undefined, epoch: number): string | undefined {
  if (lease === undefined) return undefined;
  const { leftMs, lastsMs, fences } = lease;
  const full = formatDuration(lastsMs);
  const left =
    leftMs === 0
      ? `has run out and is renewed for ${full} once the host is heard`
      : `runs out in ${formatDuration(leftMs)} unless the host is heard, which renews it for ${full}`;
  const needed =
    fences.length === 0
      ? 'no network of the host needs it'
      : `without it the host is silent on ${fences.join(', ')}`;
  const earlier = lease.epoch === epoch ? '' : ` (it was granted to epoch ${lease.epoch})`;
  return `${left}; ${needed}${earlier}`;
}

function flapText({ flaps, heldBackMs }: Json): string | undefined {
  if (flaps === undefined) return undefined;
  return heldBackMs === undefined
    ? String(flaps)
    : `${flaps}, kept down for ${formatDuration(heldBackMs)} more`;
}
