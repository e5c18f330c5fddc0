// An audit over real services: replicas of ipam on a NATS server, an agent that answers for its kernel, and a store into which
// faults are written by hand while addresses come and go.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  agentStatusContract,
  allocateContract,
  auditContract,
  createNetworkContract,
  excludeContract,
  includeContract,
  keys,
  listExclusionsContract,
  releaseContract,
  type AddressRecord,
  type EndpointRecord,
  type HostRecord,
} from '@skein/contracts';
import { Messenger } from '@skein/messaging';
import { createLogger, SkeinTransport, startMicroservice } from '@skein/service-boot';
import { createMemoryStore } from '@skein/store-client';
import { probePrefix } from '@skein/vxlan';
import { ipamConfigSchema } from '../../apps/ipam/src/ipam.config';
import { IpamModule } from '../../apps/ipam/src/ipam.module';
import { startNatsServer, type NatsServer } from '../support/nats-server';

jest.setTimeout(60_000);

const store = createMemoryStore({ now: () => Date.now() });
const closers: (() => Promise<void>)[] = [];
let server: NatsServer;
let people: Messenger;
let networkId = '';
/** What the agent of h1 says that its kernel has. */
const rows: { kind: 'fdb' | 'neighbor'; key: string; value: string }[] = [];

async function startReplica(replicaId: string): Promise<void> {
  const logger = createLogger('ipam', 'silent');
  const messenger = await Messenger.connect({ servers: [server.url], name: replicaId });
  const config = ipamConfigSchema.parse({ replicaId, ipamExcluded: '172.16.0.0/12' });
  const description = 'Subnets and addresses';
  const transport = new SkeinTransport({ messenger, version: '0.0.0', description });
  const module = IpamModule.of({ config, messenger, logger, transport, store });
  const running = await startMicroservice(module, { config, messenger, logger, transport });
  closers.push(async () => {
    await running.close();
    await messenger.drain();
  });
}

async function startAgent(host: string): Promise<void> {
  const agent = await Messenger.connect({ servers: [server.url], name: host });
  const service = agent.service({ name: 'host-agent', version: '0.0.0', description: 'agent' });
  service.serve(
    agentStatusContract,
    () => ({
      host,
      bootId: 'b1',
      programmed: 1_000_000,
      digest: '',
      networks: [],
      repairs: {},
      members: [],
      rows: rows.map((row) => ({ networkId, ...row })),
    }),
    { instance: host },
  );
  closers.push(() => agent.drain());
}

const put = (key: string, record: unknown) => store.put({ key, value: JSON.stringify(record) });
const hostRecord = (id: string, rest: Partial<HostRecord> = {}): HostRecord => ({
  id,
  name: id,
  vtep: '192.168.0.1',
  gossip: '192.168.0.1:7946',
  underlayMtu: 1_500,
  bootId: 'b1',
  epoch: 1,
  state: 'up',
  since: 0,
  labels: {},
  ...rest,
});

/** As the registry attaches: addresses first, then the endpoint with its names. */
async function attach(id: string, host: string): Promise<EndpointRecord> {
  const requests = [{ endpointId: id, host, bootId: 'b1' }];
  const { allocations } = await people.request(allocateContract, { network: 'web', requests });
  const { addresses = [], mac = '' } = allocations[0] ?? {};
  const created = { request: 'r', at: Date.now() };
  const sandbox = { netns: `/run/netns/${id}` };
  const record = { id, networkId, host, name: id, aliases: [], addresses, mac, sandbox };
  const endpoint: EndpointRecord = { ...record, labels: {}, created };
  await put(keys.endpoint(networkId, id), endpoint);
  await put(keys.endpointName(networkId, id), { endpointId: id });
  const row = host === 'h1' ? { kind: 'fdb' as const, key: mac, value: `v${id}` } : undefined;
  rows.push(row ?? { kind: 'neighbor', key: addresses[0]?.split('/')[0] ?? '', value: mac });
  return endpoint;
}

const audit = (wish: { repair?: boolean; network?: string; graceMs?: number } = {}) =>
  people.request(auditContract, wish);
const addressOf = (text: string) => keys.address(networkId, text);
const read = async (key: string) => JSON.parse((await store.get(key))?.value ?? '{}') as object;

beforeAll(async () => {
  server = await startNatsServer();
  people = await Messenger.connect({ servers: [server.url], name: 'people' });
  closers.push(() => people.drain());
  await startReplica('ipam-1');
  await startReplica('ipam-2');
  await startAgent('h1');
  await put(keys.host('h1'), hostRecord('h1', { routes: ['192.168.0.0/24'] }));
  await put(keys.host('h2'), hostRecord('h2', { state: 'down' }));
  const subnets = [{ cidr: '10.1.0.0/16' }];
  const { network } = await people.request(createNetworkContract, { name: 'web', subnets });
  networkId = network.id;
  await attach('a', 'h1');
  await attach('b', 'h2');
});
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
  await server.stop();
});

describe('an audit', () => {
  it('finds nothing where all is well, at one look', async () => {
    expect(await audit()).toMatchObject({
      ok: true,
      looks: 1,
      examined: { networks: 1, hosts: 2, endpoints: 2, addresses: 3, actors: 1, kernels: 1 },
      silent: [],
      findings: [],
    });
  });

  it('takes nothing in motion for a fault', async () => {
    let isOver = false;
    const churn = (async () => {
      for (let round = 0; !isOver; round += 1) {
        const endpointIds = Array.from({ length: 50 }, (_, index) => `c${round}-${index}`);
        const requests = endpointIds.map((endpointId) => ({ endpointId, host: 'h1' }));
        await people.request(allocateContract, { network: 'web', requests });
        await people.request(releaseContract, { network: 'web', endpointIds });
      }
    })();
    const found = await audit({ graceMs: 0 });
    isOver = true;
    await churn;
    expect(found).toMatchObject({ ok: true, findings: [] });
  });

  it('repairs what is safe, and only when it is asked to', async () => {
    const orphan: AddressRecord = {
      address: '10.1.200.1',
      networkId,
      state: 'held',
      kind: 'endpoint',
      endpointId: 'gone',
      host: 'h1',
      cause: { request: 'r', at: Date.now() - 120_000 },
    };
    await put(addressOf('4-0a01c801'), orphan);
    await put(addressOf('4-0a01c802'), {
      ...orphan,
      address: '10.1.200.2',
      endpointId: 'new',
      cause: { request: 'r', at: Date.now() },
    });
    await put(keys.endpointName(networkId, 'ghost'), { endpointId: 'gone' });
    await put(keys.vni(9_999), { networkId: 'gone' });
    const seen = await audit();
    // The actor has never heard of what was written by hand.
    expect(seen.counts).toEqual({
      actor_differs: 2,
      address_without_endpoint: 1,
      name_without_endpoint: 1,
      vni_without_network: 1,
    });
    expect(new Set(seen.findings.map(({ outcome }) => outcome))).toEqual(new Set(['repairable']));
    expect(await read(addressOf('4-0a01c801'))).toMatchObject({ state: 'held' });

    expect(await audit({ repair: true })).toMatchObject({ ok: true, repaired: 5 });
    expect(await read(addressOf('4-0a01c801'))).toMatchObject({ state: 'resting' });
    expect(await read(addressOf('4-0a01c802'))).toMatchObject({ state: 'held' });
    expect(await store.get(keys.vni(9_999))).toBeUndefined();
    // The actor has read what was written by hand and what the repair wrote.
    expect(await audit()).toMatchObject({ ok: true, findings: [] });
  });

  it('leaves a person what it can’t know: who of two has the address', async () => {
    const { addresses, mac } = (await read(keys.endpoint(networkId, 'a'))) as EndpointRecord;
    const twin = await attach('twin', 'h2');
    await put(keys.endpoint(networkId, 'twin'), { ...twin, addresses, mac });
    const found = await audit({ repair: true });
    expect(found.ok).toBe(false);
    expect(found.counts).toMatchObject({ address_held_twice: 1, mac_held_twice: 1 });
    const outcomes = found.findings.filter(({ kind }) => kind === 'address_held_twice');
    expect(outcomes).toMatchObject([{ outcome: 'person', networkId }]);
    expect(await read(addressOf('4-0a010002'))).toMatchObject({ state: 'held', endpointId: 'a' });
    await put(keys.endpoint(networkId, 'twin'), twin);
    expect(await audit()).toMatchObject({ ok: true });
  });

  it('tells what a kernel has otherwise, and which agent does not answer', async () => {
    await attach('far', 'h2');
    const neighbors = rows.filter(({ kind }) => kind === 'neighbor');
    const [lost, wrong] = neighbors.slice(-2);
    if (lost === undefined || wrong === undefined) throw new Error('no neighbours');
    const before = [...rows];
    rows.splice(rows.indexOf(lost), 1);
    rows.splice(rows.indexOf(wrong), 1, { ...wrong, value: '02:00:00:00:00:77' });
    rows.push({ kind: 'neighbor', key: '10.1.99.99', value: '02:00:00:00:00:78' });
    await put(keys.host('h2'), hostRecord('h2', { state: 'up' }));
    const found = await audit();
    expect(found.counts).toEqual({
      endpoint_not_plugged: 1,
      plugged_addresses_differ: 1,
      plugged_without_endpoint: 1,
    });
    expect(found.silent).toEqual(['h2']);
    expect(found.findings.every(({ host }) => host === 'h1')).toBe(true);
    await put(keys.host('h2'), hostRecord('h2', { state: 'down' }));
    rows.splice(0, rows.length, ...before);
    rows.splice(
      rows.findIndex(({ kind }) => kind === 'fdb'),
      1,
    );
    expect(await audit()).toMatchObject({ counts: { endpoint_not_plugged: 1 } });
    rows.splice(0, rows.length, ...before);
  });

  it.each<[string, object, object]>([
    ['an unknown network', { network: 'nobody' }, { code: 'network_not_found', field: 'network' }],
    ['an empty name', { network: '' }, { code: 'invalid_request', field: 'network' }],
    ['a word for a flag', { repair: 'yes' }, { code: 'invalid_request', field: 'repair' }],
    ['an age below nothing', { graceMs: -1 }, { code: 'invalid_request', field: 'graceMs' }],
    ['a huge limit', { limit: 1e9 }, { code: 'invalid_request', field: 'limit' }],
    ['what nobody knows', { lock: true }, { code: 'invalid_request' }],
  ])('refuses %s', async (_, wish, refusal) => {
    await expect(people.request(auditContract, wish as never)).rejects.toMatchObject(refusal);
  });
});

describe('prefixes that no network may have', () => {
  const create = (cidr: string, allowOverlap?: boolean) =>
    people.request(createNetworkContract, {
      name: `n${cidr.replaceAll(/[^0-9a-f]/g, '')}`,
      subnets: [{ cidr }],
      ...(allowOverlap === undefined ? {} : { allowOverlap }),
    });

  it('are those of the configuration, of the store, and of the hosts’ own routes', async () => {
    await people.request(excludeContract, { cidr: '10.9.0.0/16', reason: 'the office' });
    const { exclusions } = await people.request(listExclusionsContract, {});
    expect(exclusions).toMatchObject([
      { cidr: '172.16.0.0/12', excludedBy: 'configuration' },
      { cidr: probePrefix, excludedBy: 'configuration' },
      { cidr: '10.9.0.0/16', excludedBy: 'store', reason: 'the office' },
      { cidr: '192.168.0.0/24', excludedBy: 'route', host: 'h1' },
    ]);
    await expect(create('172.20.0.0/16')).rejects.toMatchObject({ code: 'subnet_excluded' });
    await expect(create('10.9.1.0/24')).rejects.toMatchObject({
      code: 'subnet_excluded',
      facts: { overlaps: '10.9.0.0/16', reason: 'the office' },
    });
    await expect(create('192.168.0.128/25')).rejects.toMatchObject({
      code: 'subnet_routed',
      facts: { overlaps: '192.168.0.0/24', host: 'h1' },
    });
    const { network } = await create('192.168.0.128/25', true);
    expect(network).toMatchObject({ allowOverlap: true });
    await people.request(includeContract, { cidr: '10.9.0.0/16' });
    await create('10.9.1.0/24');
    await expect(people.request(includeContract, { cidr: '10.9.0.0/16' })).rejects.toMatchObject({
      code: 'exclusion_not_found',
    });
    await expect(people.request(excludeContract, { cidr: '10.0.0.0/8' })).rejects.toMatchObject({
      code: 'subnet_overlap',
    });
  });

  it('stay apart from networks that are made at the same moment', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => [
        people.request(excludeContract, { cidr: `10.50.${index}.0/24` }),
        create(`10.50.${index}.0/25`),
      ]).flat(),
    );
    for (let index = 0; index < outcomes.length; index += 2) {
      const [excluded, made] = [outcomes[index], outcomes[index + 1]];
      expect([excluded?.status, made?.status].sort()).toEqual(['fulfilled', 'rejected']);
    }
  });
});
