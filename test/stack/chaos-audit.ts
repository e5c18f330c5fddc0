// The audit after a chaos run: the store against itself, the store against what clients were told, each host's kernel against
// the store, the history against the store, and pings between all that are attached. Answers what is wrong, in words.

import { setTimeout as delay } from 'node:timers/promises';
import type { AddressRecord, EndpointRecord, NetworkRecord } from '@skein/contracts';
import { parseAddress, sortableAddress } from '@skein/ip';
import type { Stack } from '../support/stack';
import type { Journal } from './chaos-journal';

interface Kv {
  readonly key: string;
  readonly value: string;
  readonly modRevision: number;
  readonly createRevision: number;
}

interface Row {
  readonly networkId: string;
  readonly kind: string;
  readonly key: string;
  readonly value: string;
}

interface Truth {
  readonly revision: number;
  readonly networks: ReadonlyMap<string, NetworkRecord>;
  readonly endpoints: readonly (EndpointRecord & { readonly attachedAt: number })[];
  readonly names: readonly { networkId: string; name: string; endpointId: string }[];
  readonly addresses: readonly (AddressRecord & { readonly key: string })[];
  readonly hosts: readonly { id: string; vtep: string; state: string }[];
}

export async function kvs(stack: Stack, prefix: string): Promise<{ kvs: Kv[]; revision: number }> {
  const path = `/v1/kv?limit=10000&prefix=${encodeURIComponent(prefix)}`;
  const { status, body } = await stack.call('GET', path);
  if (status !== 200) throw new Error(`kv of ${prefix}: ${status} ${JSON.stringify(body)}`);
  return body as { kvs: Kv[]; revision: number };
}

async function truthOf(stack: Stack): Promise<Truth> {
  const { kvs: all, revision } = await kvs(stack, '/skein/');
  const under = <T>(noun: string): { key: string[]; record: T; kv: Kv }[] =>
    all
      .filter(({ key }) => key.startsWith(`/skein/${noun}/`))
      .map((kv) => ({ key: kv.key.split('/'), record: JSON.parse(kv.value) as T, kv }));
  return {
    revision,
    networks: new Map(under<NetworkRecord>('network').map(({ record }) => [record.id, record])),
    endpoints: under<EndpointRecord>('endpoint').map(({ record, kv }) => ({
      ...record,
      attachedAt: kv.createRevision,
    })),
    names: under<{ endpointId: string }>('endpoint-name').map(({ key, record }) => ({
      networkId: key[3] as string,
      name: key[4] as string,
      endpointId: record.endpointId,
    })),
    addresses: under<AddressRecord>('address').map(({ kv, record }) => ({
      ...record,
      key: kv.key,
    })),
    hosts: under<{ id: string; vtep: string; state: string }>('host').map(({ record }) => record),
  };
}

const bare = (text: string): string => text.split('/')[0] as string;

/** Addresses that are held for endpoints which do not exist: the sweep takes them back. */
export async function orphans(stack: Stack): Promise<string[]> {
  const { endpoints, addresses } = await truthOf(stack);
  const ids = new Set(endpoints.map(({ id }) => id));
  return addresses
    .filter((each) => each.state === 'held' && each.kind === 'endpoint')
    .filter(({ endpointId }) => !ids.has(endpointId ?? ''))
    .map(({ key }) => key);
}

function storeFaults({ endpoints, names, addresses, networks }: Truth): string[] {
  const faults: string[] = [];
  const byId = new Map(endpoints.map((one) => [one.id, one]));
  const heldBy = new Map(addresses.map((one) => [one.key, one]));
  for (const { networkId, name, endpointId } of names) {
    const endpoint = byId.get(endpointId);
    if (endpoint === undefined) faults.push(`the name ${name} points at nothing`);
    else if (
      ![endpoint.name, ...endpoint.aliases].includes(name) ||
      endpoint.networkId !== networkId
    )
      faults.push(`the name ${name} points at ${endpoint.name}, which does not have it`);
  }
  const named = new Set(names.map(({ networkId, name }) => `${networkId}/${name}`));
  const used = new Map<string, string>();
  for (const { id, name, aliases, networkId, addresses: own } of endpoints) {
    if (!networks.has(networkId)) faults.push(`${name} is on no network`);
    for (const each of [name, ...aliases])
      if (!named.has(`${networkId}/${each}`))
        faults.push(`${name} lacks the key of its name ${each}`);
    for (const address of own) {
      const key = `${networkId} ${bare(address)}`;
      if (used.has(key)) faults.push(`P1: ${key} is ${name}'s and ${used.get(key)}'s`);
      used.set(key, name);
      const parsed = parseAddress(bare(address));
      const record = parsed.ok
        ? heldBy.get(`/skein/address/${networkId}/${sortableAddress(parsed.value)}`)
        : undefined;
      if (record?.state !== 'held' || record.endpointId !== id)
        faults.push(`${name} has ${address} without the record: ${JSON.stringify(record)}`);
    }
  }
  return faults;
}

function journalFaults({ endpoints, networks }: Truth, journal: Journal): string[] {
  const byId = new Map(endpoints.map((one) => [one.id, one]));
  const faults = [...journal.overlaps(), ...journal.violations];
  for (const held of journal.held) {
    const found = byId.get(held.id);
    const isUndecided = journal.undecided.has(`${held.networkId}/${held.name}`);
    if (held.detachSentAt === undefined && found === undefined)
      faults.push(`${held.name} was acknowledged, never detached, and is not there`);
    if (held.isGone && found !== undefined) faults.push(`${held.name} was detached and is there`);
    if (found !== undefined && found.addresses.join() !== held.addresses.join())
      faults.push(
        `${held.name} was told ${held.addresses.join()} and has ${found.addresses.join()}`,
      );
    if (isUndecided) byId.delete(held.id);
  }
  const known = new Set(journal.held.map(({ id }) => id));
  for (const { id, name, networkId } of endpoints) {
    const undecided = `${networks.get(networkId)?.name}/${name}`;
    if (!known.has(id) && !journal.undecided.has(undecided))
      faults.push(`nobody was told of the endpoint ${name}`);
  }
  return faults;
}

async function kernelFaults(stack: Stack, truth: Truth): Promise<string[]> {
  const faults: string[] = [];
  const { names: netns } = await stack.cluster.control.call('netnsList', {});
  for (const { id: host } of truth.hosts) {
    const own = truth.endpoints.filter((one) => one.host === host);
    const networkIds = new Set(own.map(({ networkId }) => networkId));
    const expectedNetns = [...networkIds]
      .map((id) => `sk-${host}-${truth.networks.get(id)?.vni}`)
      .sort();
    const foundNetns = netns.filter((name) => name.startsWith(`sk-${host}-`)).sort();
    if (foundNetns.join() !== expectedNetns.join())
      faults.push(
        `${host} has namespaces ${foundNetns.join()} and should have ${expectedNetns.join()}`,
      );
    const request = JSON.stringify({ rows: true });
    const reply = await stack.nats.request(`skein.v1.host-agent.${host}.status`, request, {
      timeout: 5_000,
    });
    const { rows = [] } = reply.json<{ rows?: Row[] }>();
    const expected = expectedRows(truth, host, networkIds);
    const found = new Set(rows.flatMap(comparable));
    for (const row of expected) if (!found.has(row)) faults.push(`${host} lacks ${row}`);
    for (const row of found) if (!expected.has(row)) faults.push(`${host} has ${row} on top`);
  }
  return faults;
}

function expectedRows(truth: Truth, host: string, networkIds: ReadonlySet<string>): Set<string> {
  const vteps = new Map(truth.hosts.map(({ id, vtep }) => [id, vtep]));
  const expected = new Set<string>();
  for (const one of truth.endpoints) {
    if (!networkIds.has(one.networkId)) continue;
    if (one.host === host) {
      if (one.sandbox !== undefined) expected.add(`${one.networkId} fdb ${one.mac} here`);
      continue;
    }
    expected.add(`${one.networkId} fdb ${one.mac} via ${vteps.get(one.host)}`);
    for (const address of one.addresses)
      expected.add(`${one.networkId} neighbor ${bare(address)} ${one.mac}`);
  }
  return expected;
}

function comparable({ networkId, kind, key, value }: Row): string[] {
  if (kind === 'neighbor') return [`${networkId} neighbor ${key} ${value}`];
  if (kind !== 'fdb') return [];
  const via = / via (\S+)$/.exec(value)?.[1];
  return [`${networkId} fdb ${key} ${via === undefined ? 'here' : `via ${via}`}`];
}

/** Every attach and detach of the store's present endpoints and of the clients' journal is told once, with its revision. */
async function historyFaults(stack: Stack, truth: Truth, journal: Journal): Promise<string[]> {
  const faults: string[] = [];
  const attached = new Map<string, number>();
  const detached = new Map<string, number>();
  for (let from = 1; ;) {
    const request = JSON.stringify({ from, prefix: 'endpoint.', limit: 1_000 });
    const reply = await stack.nats.request('skein.v1.registry.events', request, { timeout: 5_000 });
    const { events } = reply.json<{
      events: { type: string; revision: number; body?: unknown; facts?: unknown }[];
    }>();
    for (const event of events) {
      const id = /"endpointId":"([^"]+)"/.exec(JSON.stringify(event))?.[1] ?? 'none';
      const told = event.type === 'endpoint.attached' ? attached : detached;
      const before = told.get(id);
      if (before !== undefined && before !== event.revision)
        faults.push(`history tells ${event.type} of ${id} twice`);
      told.set(id, event.revision);
    }
    const last = events.at(-1)?.revision;
    if (events.length < 1_000 || last === undefined) break;
    from = last;
  }
  for (const { id, name, attachedAt } of truth.endpoints) {
    if (attached.get(id) !== attachedAt)
      faults.push(`history has the attach of ${name} at ${attached.get(id)}, not ${attachedAt}`);
    if (detached.has(id)) faults.push(`history has ${name} detached`);
  }
  for (const { id, name, isGone } of journal.held) {
    if (!attached.has(id)) faults.push(`history lacks the attach of ${name}`);
    if (isGone && !detached.has(id)) faults.push(`history lacks the detach of ${name}`);
  }
  return faults;
}

async function pingFaults(stack: Stack, { endpoints, networks }: Truth): Promise<string[]> {
  const plugged = endpoints.filter(({ sandbox }) => sandbox !== undefined);
  const results = await Promise.all(
    plugged.map(async (from) => {
      const others = plugged.filter((to) => to.networkId === from.networkId && to.id !== from.id);
      if (others.length === 0) return [];
      const container = (from.sandbox?.netns ?? '').replace(/^.*\/c-/, '');
      const wanted = others.map((to) => bare(to.addresses[0] as string));
      const script = 'for a in "$@"; do ping -c 1 -W 2 "$a" >/dev/null || echo "$a"; done';
      const argv = ['sh', '-c', script, 'sh', ...wanted];
      const { stdout, code } = await stack.cluster.control.call('run', { container, argv });
      const lost = stdout.split('\n').filter(Boolean);
      const web = networks.get(from.networkId)?.name;
      if (code !== 0) return [`the pings of ${from.name} ended with ${code}`];
      return lost.map(
        (address) => `${from.name} (${from.host}) does not reach ${address} on ${web}`,
      );
    }),
  );
  return results.flat();
}

export async function audit(stack: Stack, journal: Journal): Promise<string[]> {
  const truth = await truthOf(stack);
  return [
    ...storeFaults(truth),
    ...journalFaults(truth, journal),
    ...(await kernelFaults(stack, truth)),
    ...(await historyFaults(stack, truth, journal)),
    ...(await pingFaults(stack, truth)),
  ];
}

/** Calm: all processes run, all managers are healthy, all hosts are up and have programmed what concerns them. */
export async function calm(stack: Stack, timeoutMs: number): Promise<void> {
  const until = performance.now() + timeoutMs;
  for (let why = 'nothing was asked'; ; await delay(200)) {
    if (performance.now() > until) throw new Error(`no calm within ${timeoutMs} ms: ${why}`);
    try {
      why = (await unrest(stack)) ?? '';
      if (why === '') return;
    } catch (thrown) {
      why = String(thrown);
    }
  }
}

async function unrest(stack: Stack): Promise<string | undefined> {
  const { processes } = await stack.cluster.control.call('status', {});
  const dead = processes.filter(({ running }) => !running).map(({ name }) => name);
  if (dead.length > 0) return `${dead.join()} ended`;
  const cluster = await stack.call('GET', '/v1/cluster');
  if (cluster.status !== 200) return `cluster: ${JSON.stringify(cluster.body)}`;
  const members = cluster.body.members as { id: string; healthy: boolean }[];
  const ill = members.filter(({ healthy }) => !healthy);
  if (ill.length > 0) return `managers are not healthy: ${JSON.stringify(ill)}`;
  const hosts = await stack.call('GET', '/v1/hosts');
  if (hosts.status !== 200) return `hosts: ${JSON.stringify(hosts.body)}`;
  const listed = hosts.body.hosts as { id: string; state: string; programmed: number }[];
  const down = listed.filter(({ state }) => state !== 'up');
  if (down.length > 0) return `hosts are down: ${JSON.stringify(down)}`;
  // An attach to each host that says that nobody is behind shows that each has what came before.
  return undefined;
}
