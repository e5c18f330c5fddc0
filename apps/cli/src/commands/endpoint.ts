// skein endpoint …, skein attach, skein detach

import pc from 'picocolors';
import { path, type Json } from '../client/api';
import { fields, time } from '../output/table';
import { demandConsent, type Session } from '../session';

export interface AttachOptions {
  readonly host: string;
  readonly name?: string;
  readonly alias?: string[];
  readonly service?: string;
  readonly address?: string[];
  readonly mac?: string;
  readonly family?: string[];
  readonly netns?: string;
  readonly interface?: string;
  readonly label?: Record<string, string>;
  readonly wait?: number;
}

export async function attach({ api, out }: Session, network: string, options: AttachOptions) {
  const {
    netns,
    alias,
    address,
    label,
    wait,
    interface: device,
    host,
    name,
    service,
    mac,
    family,
  } = options;
  const body = {
    host,
    name,
    service,
    mac,
    aliases: alias,
    addresses: address,
    families: family,
    labels: label,
    sandbox: netns === undefined ? undefined : { netns, interface: device },
  };
  const created = api.post(path`/v1/networks/${network}/endpoints`, body, { wait });
  const made = await out.progress(`attaching ${name ?? 'an endpoint'} to ${network}`, created);
  out.show(made, describe);
  for (const fault of made.faults ?? []) {
    out.note(
      `${pc.yellow('warning:')} ${host} could not plug it in: ${fault.message} (${fault.code})`,
    );
  }
}

export async function list({ api, out }: Session, network: string | undefined) {
  const networks =
    network === undefined
      ? (await api.list('/v1/networks', 'networks')).map((each) => each.name)
      : [network];
  const endpoints: Json[] = [];
  for (const each of networks) {
    endpoints.push(...(await api.list(path`/v1/networks/${each}/endpoints`, 'endpoints')));
  }
  out.show({ endpoints }, () =>
    out.table(
      ['name', 'network', 'host', 'addresses', 'mac', 'state', 'id'],
      endpoints.map((each) => [
        each.name,
        each.network,
        each.host,
        each.addresses.join(', '),
        each.mac,
        stateText(each.state),
        each.id,
      ]),
      'no endpoints; `skein attach <network> --host <host>` makes one',
    ),
  );
}

export async function show({ api, out }: Session, network: string, endpoint: string) {
  out.show(await api.get(path`/v1/networks/${network}/endpoints/${endpoint}`), describe);
}

export async function detach(
  { api, out }: Session,
  network: string,
  endpoint: string,
  options: { yes?: boolean; wait?: number },
) {
  if (!(await demandConsent(`Detach ${endpoint} from ${network}?`, options.yes ?? false))) return;
  const one = path`/v1/networks/${network}/endpoints/${endpoint}`;
  const gone = await out.progress(`detaching ${endpoint}`, api.delete(one, { wait: options.wait }));
  out.show(
    gone,
    () => `detached ${endpoint} at revision ${gone.revision}${behindText(gone.behind)}`,
  );
}

function describe(endpoint: Json): string {
  return fields([
    ['name', endpoint.name],
    ['id', endpoint.id],
    ['network', endpoint.network],
    ['host', endpoint.host],
    ['addresses', endpoint.addresses.join(', ')],
    ['mac', endpoint.mac],
    ['aliases', endpoint.aliases.length === 0 ? undefined : endpoint.aliases.join(', ')],
    ['service', endpoint.service],
    ['sandbox', endpoint.sandbox?.netns],
    ['state', stateText(endpoint.state)],
    ['created', `${time(endpoint.created.at)} by ${endpoint.created.request}`],
    ['revision', endpoint.revision],
    ['programmed', endpoint.behind && programmedText(endpoint.behind)],
  ]);
}

function behindText(behind: readonly string[]): string {
  return behind.length === 0 ? '' : `, ${pc.yellow('behind')}: ${behind.join(', ')}`;
}

function stateText(state: string): string {
  return state === 'live' ? pc.green(state) : pc.yellow(state);
}

function programmedText(behind: readonly string[]): string {
  return behind.length === 0 ? 'by every live host' : `not yet by ${behind.join(', ')}`;
}
