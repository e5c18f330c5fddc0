import { beforeEach, describe, expect, it } from '@jest/globals';
import { keys, type EndpointRecord } from '@skein/contracts';
import { planNetwork, type NetworkDirectory, type SubnetSpec } from '@skein/ipam';
import { createMemoryStore, type MemoryStore } from '@skein/store-client';
import { auditFindings, auditStateOf, confirmed, findingKinds, type Finding } from './index';

const limits = { now: 1_000_000, graceMs: 60_000 };
const cause = { request: 'r1', at: 1_000 };
let store: MemoryStore;

const put = (key: string, record: unknown) => store.put({ key, value: JSON.stringify(record) });
const patch = async (key: string, change: object) => {
  const record = JSON.parse((await store.get(key))?.value ?? '{}') as object;
  await put(key, { ...record, ...change });
};
const drop = (key: string) => store.txn({ success: [{ type: 'delete', key }] });

async function look(): Promise<Finding[]> {
  const { kvs, revision } = await store.range({ key: '/skein/', prefix: true });
  return auditFindings(auditStateOf(kvs, revision), limits);
}

async function createNetwork(id: string, vni: number, subnets: SubnetSpec[]): Promise<void> {
  const table = await store.get(keys.subnetTable);
  const directory: NetworkDirectory = {
    table: {
      record: table === undefined ? { subnets: [] } : JSON.parse(table.value),
      modRevision: table?.modRevision ?? 0,
    },
    vnis: new Set(),
    nameOf: (name) => name,
  };
  const flags = { attachable: true, internal: false, multicast: false, encrypted: false };
  const plan = planNetwork({ id, name: id, vni, subnets }, directory, {
    keys,
    pools: { pools: [], excluded: [] },
    cause,
    complete: (part) => ({ ...flags, onHostLoss: 'keep', labels: {}, created: cause, ...part }),
  });
  if (!plan.ok) throw new Error(plan.refusal.message);
  const { compare, success } = plan.reply.transaction;
  await store.txn({ compare: [...compare], success: [...success] });
}

const endpoint = (id: string, text: string, change: Partial<EndpointRecord> = {}) => ({
  id,
  networkId: 'web',
  host: 'h1',
  name: id,
  aliases: [`${id}-alias`],
  addresses: [`${text}/24`],
  mac: '02:42:0a:00:00:02',
  labels: {},
  created: cause,
  ...change,
});
const held = (endpointId: string, text: string, change: object = {}) => ({
  address: text,
  networkId: 'web',
  state: 'held',
  kind: 'endpoint',
  endpointId,
  host: 'h1',
  bootId: 'b1',
  cause,
  ...change,
});
const at = (last: string) => keys.address('web', `4-0a0000${last}`);
const e1 = keys.endpoint('web', 'e1');
const mac = '02:00:00:00:00:09';

beforeEach(async () => {
  store = createMemoryStore({ now: () => 0 });
  await createNetwork('web', 5_000, [{ cidr: '10.0.0.0/24', reserved: { printer: '10.0.0.9' } }]);
  await put(keys.host('h1'), {
    id: 'h1',
    name: 'h1',
    vtep: '192.168.0.1',
    gossip: '192.168.0.1:7946',
    underlayMtu: 1_500,
    bootId: 'b1',
    epoch: 1,
    state: 'up',
    since: 0,
    labels: {},
    routes: ['192.168.0.0/24'],
  });
  await put(e1, endpoint('e1', '10.0.0.2'));
  await put(keys.endpointName('web', 'e1'), { endpointId: 'e1' });
  await put(keys.endpointName('web', 'e1-alias'), { endpointId: 'e1' });
  await put(at('02'), held('e1', '10.0.0.2'));
  await put(at('03'), held('gone', '10.0.0.3', { state: 'resting', until: 2_000 }));
});

const record = (kind: string) => JSON.stringify({ kind });

/** What is done to a sound state, what that is found as, and whether it is repaired. */
const faults: [string, () => Promise<unknown>, string[], 'repaired' | 'left'][] = [
  [
    'a value that is no JSON',
    () => store.put({ key: at('44'), value: '{' }),
    ['record_malformed'],
    'left',
  ],
  [
    'a value of another shape',
    () => store.put({ key: at('44'), value: record('x') }),
    ['record_malformed'],
    'left',
  ],
  [
    'a record under another address’s key',
    () => put(at('44'), held('e1', '10.0.0.2')),
    ['record_malformed'],
    'left',
  ],
  [
    'an address of a network that is gone',
    () => put(keys.address('old', '4-0a000002'), held('x', '10.0.0.2', { networkId: 'old' })),
    ['record_of_missing_network'],
    'repaired',
  ],
  [
    'a name of a network that is gone',
    () => put(keys.endpointName('old', 'x'), { endpointId: 'x' }),
    ['record_of_missing_network'],
    'repaired',
  ],
  [
    'an endpoint of a network that is gone',
    () => put(keys.endpoint('old', 'x'), endpoint('x', '10.0.0.2')),
    ['record_of_missing_network'],
    'left',
  ],
  [
    'an address held for nobody',
    () => put(at('44'), held('x', '10.0.0.68')),
    ['address_without_endpoint'],
    'repaired',
  ],
  [
    'an address held for an endpoint that has another',
    () => put(at('44'), held('e1', '10.0.0.68')),
    ['address_without_endpoint'],
    'repaired',
  ],
  [
    'a resting address outside',
    () => put(keys.address('web', '4-0b000001'), held('x', '11.0.0.1', { state: 'resting' })),
    ['address_outside_subnet'],
    'repaired',
  ],
  [
    'a held address outside',
    () => put(keys.address('web', '4-0b000001'), held('x', '11.0.0.1')),
    ['address_outside_subnet'],
    'left',
  ],
  [
    'two endpoints with one address',
    async () => {
      await put(keys.endpoint('web', 'e2'), endpoint('e2', '10.0.0.2', { aliases: [], mac }));
      await put(keys.endpointName('web', 'e2'), { endpointId: 'e2' });
      await put(keys.mac('web', mac), { endpointId: 'e2' });
    },
    ['address_held_by_other', 'address_held_twice'],
    'left',
  ],
  [
    'an address held by another than who has it',
    () => patch(at('02'), { endpointId: 'x' }),
    ['address_held_by_other'],
    'left',
  ],
  ['an address that nobody holds', () => drop(at('02')), ['endpoint_without_address'], 'repaired'],
  [
    'an address that rests while its endpoint lives',
    () => patch(at('02'), { state: 'resting' }),
    ['endpoint_without_address'],
    'repaired',
  ],
  [
    'an endpoint on an unknown host',
    () => drop(keys.host('h1')),
    ['endpoint_on_missing_host'],
    'left',
  ],
  [
    'an address of another host',
    () => patch(at('02'), { host: 'h2' }),
    ['address_of_other_host'],
    'left',
  ],
  [
    'an address of an earlier boot',
    () => patch(keys.host('h1'), { bootId: 'b2' }),
    ['address_of_earlier_boot'],
    'left',
  ],
  ['a gateway that is not held', () => drop(at('01')), ['gateway_not_held'], 'repaired'],
  ['a reserved address that is not held', () => drop(at('09')), ['gateway_not_held'], 'repaired'],
  [
    'a gateway held by an endpoint',
    () => put(at('01'), held('x', '10.0.0.1')),
    ['address_without_endpoint', 'gateway_not_held'],
    'repaired',
  ],
  [
    'a reservation that nobody named',
    () =>
      put(
        at('44'),
        held('', '10.0.0.68', { kind: 'reserved', endpointId: undefined, reservedAs: 'x' }),
      ),
    ['reservation_without_subnet'],
    'repaired',
  ],
  [
    'a name of nobody',
    () => put(keys.endpointName('web', 'x'), { endpointId: 'x' }),
    ['name_without_endpoint'],
    'repaired',
  ],
  [
    'a name that its endpoint does not have',
    () => put(keys.endpointName('web', 'x'), { endpointId: 'e1' }),
    ['name_without_endpoint'],
    'repaired',
  ],
  [
    'an alias that is not kept',
    () => drop(keys.endpointName('web', 'e1-alias')),
    ['endpoint_without_name'],
    'repaired',
  ],
  [
    'two endpoints with one name',
    async () => {
      await put(
        keys.endpoint('web', 'e2'),
        endpoint('e2', '10.0.0.4', { name: 'e1', aliases: [], mac: '02:42:0a:00:00:04' }),
      );
      await put(at('04'), held('e2', '10.0.0.4'));
    },
    ['name_held_twice'],
    'left',
  ],
  [
    'a MAC of nobody',
    () => put(keys.mac('web', mac), { endpointId: 'x' }),
    ['mac_without_endpoint'],
    'repaired',
  ],
  ['a MAC that is not kept', () => patch(e1, { mac }), ['endpoint_without_mac'], 'repaired'],
  [
    'two endpoints with one MAC',
    async () => {
      await put(keys.endpoint('web', 'e2'), endpoint('e2', '10.0.0.4', { aliases: [] }));
      await put(keys.endpointName('web', 'e2'), { endpointId: 'e2' });
      await put(at('04'), held('e2', '10.0.0.4'));
      await put(keys.mac('web', '02:42:0a:00:00:02'), { endpointId: 'e2' });
    },
    ['mac_held_twice'],
    'left',
  ],
  [
    'a network without its name',
    () => drop(keys.networkName('web')),
    ['network_without_name'],
    'repaired',
  ],
  [
    'a name that leads nowhere',
    () => put(keys.networkName('old'), { networkId: 'old' }),
    ['network_name_without_network'],
    'repaired',
  ],
  ['a network without its VNI', () => drop(keys.vni(5_000)), ['network_without_vni'], 'repaired'],
  [
    'a VNI of nobody',
    () => put(keys.vni(5_001), { networkId: 'web' }),
    ['vni_without_network'],
    'repaired',
  ],
  [
    'a subnet that the table misses',
    () => patch(keys.subnetTable, { subnets: [] }),
    ['subnet_not_in_table'],
    'repaired',
  ],
  [
    'a row of the table that no network has',
    () =>
      patch(keys.subnetTable, {
        subnets: [
          { cidr: '10.0.0.0/24', networkId: 'web' },
          { cidr: '10.9.0.0/24', networkId: 'old' },
        ],
      }),
    ['table_row_without_subnet'],
    'repaired',
  ],
  [
    'subnets that overlap',
    async () => {
      await createNetwork('db', 5_001, [{ cidr: '10.1.0.0/24' }]);
      const key = keys.network('db');
      const subnets = [{ cidr: '10.0.0.0/16', gateway: '10.0.0.1', reserved: {} }];
      await patch(key, { subnets });
      await put(keys.subnetTable, {
        subnets: [
          { cidr: '10.0.0.0/24', networkId: 'web' },
          { cidr: '10.0.0.0/16', networkId: 'db' },
        ],
      });
      await drop(keys.address('db', '4-0a010001'));
      await put(keys.address('db', '4-0a000001'), {
        ...held('', '10.0.0.1', {
          networkId: 'db',
          kind: 'gateway',
          endpointId: undefined,
          reservedAs: 'gateway',
        }),
      });
    },
    ['subnets_overlap'],
    'left',
  ],
  [
    'a route of a host',
    () => patch(keys.host('h1'), { routes: ['10.0.0.128/25'] }),
    ['subnet_meets_host_route'],
    'left',
  ],
];

describe('an audit of the store', () => {
  it('finds nothing in a sound state', async () => {
    expect(await look()).toEqual([]);
  });

  it.each(faults)('finds %s', async (_, spoil, kinds, end) => {
    await spoil();
    const found = await look();
    expect([...new Set(found.map(({ kind }) => kind))].sort()).toEqual([...kinds].sort());
    for (const { repair } of found) {
      if (repair === undefined) continue;
      const { compare, success } = repair;
      expect((await store.txn({ compare: [...compare], success: [...success] })).succeeded).toBe(
        true,
      );
    }
    // A repair may make room for the next one: a gateway is held once whoever had it is gone.
    for (const { repair } of await look()) {
      if (repair !== undefined)
        await store.txn({ compare: [...repair.compare], success: [...repair.success] });
    }
    const left = await look();
    if (end === 'repaired') expect(left).toEqual([]);
    else expect(left.map(({ repair }) => repair)).toContain(undefined);
  });

  it('has a case for every kind', () => {
    const tried = new Set(faults.flatMap(([, , kinds]) => kinds));
    const ofOthers = [
      'actor_differs',
      'endpoint_not_plugged',
      'plugged_without_endpoint',
      'plugged_addresses_differ',
    ];
    expect([...tried, ...ofOthers].sort()).toEqual([...findingKinds].sort());
  });

  it('gives what is new time to become whole', async () => {
    const young = { cause: { request: 'r', at: limits.now - 59_000 } };
    await put(at('44'), held('x', '10.0.0.68', young));
    await put(keys.mac('web', mac), { endpointId: 'x' });
    expect(await look()).toEqual([]);
  });

  it('repairs nothing that has moved since it was seen', async () => {
    await put(at('44'), held('x', '10.0.0.68'));
    const [finding] = await look();
    await put(keys.endpoint('web', 'x'), endpoint('x', '10.0.0.68'));
    const { compare = [], success = [] } = finding?.repair ?? {};
    expect((await store.txn({ compare: [...compare], success: [...success] })).succeeded).toBe(
      false,
    );
    expect(JSON.parse((await store.get(at('44')))?.value ?? '')).toMatchObject({ state: 'held' });
  });

  it('never lets go of an address whose endpoint lives', async () => {
    for (const [, spoil] of faults) {
      await spoil();
      for (const { repair } of await look()) {
        const writes = repair?.success.filter(({ key }) => key === at('02')) ?? [];
        for (const write of writes)
          expect(write).toMatchObject({ type: 'put', value: expect.stringContaining('"held"') });
      }
    }
  });

  it('passes over records that rest, and endpoints of hosts that are down', async () => {
    await patch(keys.host('h1'), { state: 'down', reason: 'gossip' });
    expect(await look()).toEqual([]);
  });

  it('keeps to one network where that is asked', async () => {
    await createNetwork('db', 5_001, [{ cidr: '10.1.0.0/24' }]);
    await drop(keys.networkName('db'));
    await drop(keys.networkName('web'));
    const { kvs, revision } = await store.range({ key: '/skein/', prefix: true });
    const found = auditFindings(auditStateOf(kvs, revision), limits, 'db');
    expect(found.map(({ subject }) => subject)).toEqual(['db']);
  });
});

describe('a second look', () => {
  it('confirms what stands on the same records, and nothing that was written meanwhile', async () => {
    await put(at('44'), held('x', '10.0.0.68'));
    await put(keys.endpointName('web', 'x'), { endpointId: 'x' });
    const first = await look();
    expect(first).toHaveLength(2);
    await patch(at('44'), { fencing: 9 });
    expect(confirmed(first, await look()).map(({ kind }) => kind)).toEqual([
      'name_without_endpoint',
    ]);
  });
});
