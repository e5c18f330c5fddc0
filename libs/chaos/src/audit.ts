// The end of a run: faults have stopped, calm must come, and then everything is compared with everything: the store with itself,
// with what clients were told, with the kernels and with the history; and all that are live ping each other.

import { setTimeout as delay } from 'node:timers/promises';
import type { ControlClient } from '@skein/local-cluster';
import type { Client } from './client';
import { nowMs } from './clock';
import { readCommitted, type Committed } from './committed';
import { historyFaults } from './history-audit';
import { kernelFaults } from './kernel-audit';
import type { Ledger } from './ledger';
import { counted, type LossJudge } from './loss';
import { hostIds, networks } from './plan';
import type { Prober } from './prober';
import { proof, type Proof } from './report';
import type { Rest } from './rest';
import type { World } from './world';

export interface AuditOptions {
  readonly world: World;
  readonly ledger: Ledger;
  readonly loss: LossJudge;
  readonly prober: Prober;
  readonly clients: readonly Client[];
  readonly step: (text: string) => void;
}

const calmMs = 60_000;
/** An address that an attach left behind is taken back within this time. */
const settledMs = 100_000;
const roundMs = 15_000;
/** Verdicts on probes take this long. */
const verdictMs = 7_000;

/** Findings that mean that an address is, or could be, in two hands. */
const isDuplicate = (kind: string): boolean =>
  [
    'address_held_twice',
    'address_held_by_other',
    'endpoint_without_address',
    'mac_held_twice',
  ].includes(kind);

export async function finalProofs(options: AuditOptions): Promise<Proof[]> {
  const { world, ledger, loss, prober, clients, step } = options;
  step('calm: managers are healthy, hosts are up');
  const unrest = await until(calmMs, () => unrestOf(world.cluster.control, world.rest));
  for (const each of unrest) step(`no calm: ${each}`);
  await Promise.all(clients.map((client) => client.settle()));
  await Promise.all(clients.map((client) => client.fill()));
  await Promise.all(clients.map((client) => client.settle()));
  const behind = await until(calmMs, () => behindOf(world));
  for (const each of behind) step(`no calm: ${each}`);
  step('audit: store, clients, kernels');
  let committed: Committed | undefined;
  const found = { store: [] as string[], told: [] as string[], kernel: [] as string[] };
  await until(settledMs, async () => {
    committed = await readCommitted(world.rest);
    found.store = committed.findings.map(({ kind, message }) => `${kind}: ${message}`);
    found.told = toldFaults(committed, ledger);
    found.kernel = await kernelFaults(world.cluster.control, committed);
    return [...found.store, ...found.told, ...found.kernel];
  });
  step('every live pair pings; the history of every address');
  releaseGone(committed, ledger, prober);
  const round = await prober.round(roundMs);
  const history = await historyFaults(world.rest, ledger);
  const told = await auditByService(world);
  await delay(verdictMs);
  loss.judge(nowMs());
  const name = (id: string) => ledger.find(id)?.name ?? id;
  const duplicates = found.store.filter((each) => isDuplicate(each.split(':')[0] ?? ''));
  const others = found.store.filter((each) => !duplicates.includes(each));
  const sent = counted.reduce((sum, kind) => sum + (loss.classes.get(kind)?.sent ?? 0), 0);
  const lives = committed?.endpoints.length ?? 0;
  return [
    proof('calm returns when faults stop', `${hostIds.length} hosts, three managers`, [
      ...unrest,
      ...behind,
    ]),
    proof(
      'no address has two holders, in the store, in the history, for clients or on the wire',
      `${ledger.held.length} attaches, ${history.looked} addresses' histories, every answer's sender`,
      [
        ...duplicates,
        ...history.faults,
        ...ledger.overlapping(nowMs()),
        ...ledger.violations,
        ...loss.wrongAnswers,
      ],
    ),
    proof(
      'nothing leaks',
      `${lives} endpoints, their addresses, names and MACs at revision ${committed?.revision}`,
      others,
    ),
    proof(
      'what was acknowledged is so',
      `${ledger.held.length} attaches, ${count(ledger, 'detach ok')} detaches`,
      found.told,
    ),
    proof(
      'the kernels hold what the store says',
      'overlays, forwarding and neighbour rows, sandboxes, read past the agents',
      found.kernel,
    ),
    ...(told === null
      ? []
      : [proof("the services' own audit finds nothing", told.evidence, told.against)]),
    proof(
      'every live pair pings at the end',
      `${round.asked} addresses asked, from every sandbox to every other of its network`,
      [
        ...(round.asked === 0 ? ['nobody was there to ping'] : []),
        ...round.silent.map(
          ([from, to, address, , outcome]) => `${name(from)} → ${name(to)} ${address}: ${outcome}`,
        ),
      ],
    ),
    proof(
      'live containers on unharmed hosts lose no ping',
      `${sent} pings with a promise`,
      loss.losses,
    ),
  ];
}

const count = (ledger: Ledger, what: string): number => ledger.outcomes.get(what) ?? 0;

/** Looks until nothing is found or time is over; answers what was found last. */
export async function until(
  ms: number,
  look: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const end = nowMs() + ms;
  for (;;) {
    const found = await look().catch((thrown: unknown) => [String(thrown)]);
    if (found.length === 0 || nowMs() > end) return found;
    await delay(400);
  }
}

/** Who does not run, or is not well. */
export async function unrestOf(control: ControlClient, rest: Rest): Promise<string[]> {
  const { processes } = await control.call('status', {});
  const ended = processes.filter(({ running }) => !running).map(({ name }) => `${name} ended`);
  const { members } = (await rest.get('/v1/cluster')) as {
    members: { id: string; healthy: boolean }[];
  };
  const { hosts } = (await rest.get('/v1/hosts?limit=100')) as {
    hosts: { id: string; state: string }[];
  };
  return [
    ...ended,
    ...members.filter(({ healthy }) => !healthy).map(({ id }) => `manager ${id} is not healthy`),
    ...hosts.filter(({ state }) => state !== 'up').map(({ id, state }) => `host ${id} is ${state}`),
  ];
}

/** An attach to each network that nobody is behind on shows that all have programmed what came before. */
async function behindOf({ rest }: World): Promise<string[]> {
  const found: string[] = [];
  for (const { name: network } of networks) {
    const path = `/v1/networks/${network}/endpoints`;
    const name = `mark-${nowMs()}`;
    const body = { host: hostIds[0], name };
    const { status, code, body: told } = await rest.ask({ method: 'POST', path, body, key: name });
    if (status === 201) {
      const removed = await rest.ask({ method: 'DELETE', path: `${path}/${told.id}` });
      if (removed.status !== 200) found.push(`the mark on ${network} stays: ${removed.code}`);
      for (const host of told.behind as string[]) found.push(`${host} is behind on ${network}`);
    } else if (code !== 'pool_exhausted') found.push(`no attach to ${network}: ${code}`);
  }
  return found;
}

function toldFaults({ endpoints, networks: known }: Committed, ledger: Ledger): string[] {
  const byId = new Map(endpoints.map((one) => [one.id, one]));
  const faults: string[] = [];
  for (const held of ledger.held) {
    const found = byId.get(held.id);
    const where = `${held.name} on ${held.host}`;
    if (held.isGone && found !== undefined) faults.push(`${where} was detached and is there`);
    if (held.isGone || ledger.undecided.has(`${held.network}/${held.name}`)) continue;
    if (found === undefined) {
      if (!ledger.mayBeGone(held, nowMs()))
        faults.push(`${where} was acknowledged, never detached, and is not there`);
    } else if (found.addresses.join() !== held.addresses.join())
      faults.push(`${where} was told ${held.addresses.join()} and has ${found.addresses.join()}`);
  }
  for (const { id, name, networkId } of endpoints) {
    const network = known.get(networkId)?.name ?? networkId;
    if (ledger.find(id) === undefined && !ledger.undecided.has(`${network}/${name}`))
      faults.push(`nobody was told of the endpoint ${name} on ${network}`);
  }
  return faults;
}

/** The prober forgets who is no more: an endpoint that was released with its host's boot or reclaimed. */
function releaseGone(committed: Committed | undefined, ledger: Ledger, prober: Prober): void {
  const there = new Set(committed?.endpoints.map(({ id }) => id));
  const latest = new Map(
    ledger.held.flatMap((one) => (one.sandbox === undefined ? [] : [[one.sandbox, one]])),
  );
  for (const [sandbox, held] of latest) if (!there.has(held.id)) prober.release(sandbox);
}

/** Null where the services have no audit of their own. */
async function auditByService({
  rest,
}: World): Promise<{ evidence: string; against: string[] } | null> {
  const { status, code, body } = await rest.ask({
    method: 'POST',
    path: '/v1/addresses:audit',
    body: {},
    key: `audit-${nowMs()}`,
    timeoutMs: 30_000,
  });
  if (status === 404 || status === 405) return null;
  if (status !== 200) return { evidence: 'asked', against: [`it answered ${status} ${code}`] };
  const findings = body.findings as { kind: string; subject: string; message?: string }[];
  return {
    evidence: `as of revision ${body.revision}: ${JSON.stringify(body.examined)}`,
    against: findings.map(({ kind, subject, message }) => `${kind}: ${message ?? subject}`),
  };
}
