import { describe, expect, it } from '@jest/globals';
import { cidr, parseCidr } from '@skein/ip';
import { cause, FixtureStore, keys } from './fixture';
import { type FamilyName } from './allocate';
import { maxExclusions, planExclusion, planInclusion } from './exclusions';
import { planNetwork, planNetworkDeletion, planSubnetAddition } from './network-plan';
import { type NetworkRecord } from './records';
import { defaultPools, type SubnetSpec } from './subnet-plan';

const refusalOf = (store: FixtureStore, ...subnets: SubnetSpec[]) => {
  const plan = store.plan({ id: 'n', name: 'n', subnets });
  return plan.ok ? plan.reply.reply : plan.refusal;
};

describe('creating a network', () => {
  it('cuts subnets from the default pool, each its own', () => {
    const store = new FixtureStore();
    const made = ['a', 'b', 'c'].map((name) => store.create({ name }));
    expect(made.map(({ subnets }) => subnets[0]?.cidr)).toEqual([
      '10.0.0.0/24',
      '10.0.1.0/24',
      '10.0.2.0/24',
    ]);
    expect(made.map(({ vni }) => vni)).toEqual([4096, 4097, 4098]);
    expect(made[0]?.subnets[0]?.gateway).toBe('10.0.0.1');
  });

  it('leaves out what is excluded or overlaps, and fills gaps', () => {
    const pools = {
      pools: [{ cidr: cidr('10.0.0.0/16'), prefixLength: 24 }],
      excluded: [cidr('10.0.1.0/25'), cidr('10.0.2.0/24')],
    };
    const store = new FixtureStore();
    store.create({ name: 'given', subnets: [{ cidr: '10.0.4.0/22' }] });
    const made = ['a', 'b', 'c'].map((name) => store.create({ name }, pools));
    expect(made.map(({ subnets }) => subnets[0]?.cidr)).toEqual([
      '10.0.0.0/24',
      '10.0.3.0/24',
      '10.0.8.0/24',
    ]);
  });

  it('goes to the next pool of the family, then says that all are exhausted', () => {
    const pools = {
      pools: [
        { cidr: cidr('fd00::/64'), prefixLength: 64 },
        { cidr: cidr('10.0.0.0/24'), prefixLength: 24 },
        { cidr: cidr('fd01::/63'), prefixLength: 64 },
      ],
      excluded: [cidr('10.0.0.0/30')],
    };
    const store = new FixtureStore();
    const made = ['a', 'b', 'c'].map((name) => store.create({ name }, pools).subnets[0]?.cidr);
    expect(made).toEqual(['fd00::/64', 'fd01::/64', 'fd01:0:0:1::/64']);
    expect(store.plan({ id: 'd', name: 'd' }, pools)).toMatchObject({
      refusal: { code: 'subnets_exhausted', facts: { taken: 3 } },
    });
    expect(store.plan({ id: 'd', name: 'd', families: ['ipv4'] }, pools)).toMatchObject({
      refusal: {
        code: 'subnets_exhausted',
        facts: {
          pools: [{ cidr: '10.0.0.0/24', prefixLength: 24 }],
          barriers: [{ cidr: '10.0.0.0/30', excludedBy: 'configuration' }],
        },
      },
    });
  });

  it.each<[FamilyName[] | undefined, string | undefined, string[]]>([
    [undefined, undefined, ['10.0.0.0/24']],
    [['ipv4'], undefined, ['10.0.0.0/24']],
    [['ipv6'], undefined, ['fd53:6b65:696e::/64']],
    [['ipv6', 'ipv4'], undefined, ['10.0.0.0/24', 'fd53:6b65:696e::/64']],
    [['ipv4', 'ipv6'], '10.9.0.0/24', ['10.9.0.0/24', 'fd53:6b65:696e::/64']],
    [['ipv4', 'ipv6'], 'fd00::/64', ['fd00::/64', '10.0.0.0/24']],
    [['ipv4'], 'fd00::/64', ['fd00::/64', '10.0.0.0/24']],
    [undefined, 'fd00::/64', ['fd00::/64']],
  ])('of families %j with subnet %s gets %j', (families, given, subnets) => {
    const wish = given === undefined ? {} : { subnets: [{ cidr: given }] };
    const made = new FixtureStore().create({ name: 'a', families, ...wish });
    expect(made.subnets.map((one) => one.cidr)).toEqual(subnets);
  });

  it('costs no more for a huge subnet', () => {
    const store = new FixtureStore();
    const pools = { pools: [{ cidr: cidr('fd00::/8'), prefixLength: 64 }], excluded: [] };
    expect(store.create({ name: 'a' }, pools).subnets[0]?.cidr).toBe('fd00::/64');
    store.create({ name: 'b', subnets: [{ cidr: '10.0.0.0/8' }] });
    expect(store.addresses('b')).toHaveLength(1);
  });

  it('holds gateway and reserved addresses with the network', () => {
    const store = new FixtureStore();
    const reserved = { printer: '10.1.0.1', router: '10.1.0.9' };
    store.create({ name: 'web', subnets: [{ cidr: '10.1.0.0/24', reserved }] });
    expect(store.addresses('web').map((one) => [one.address, one.kind, one.reservedAs])).toEqual([
      ['10.1.0.1', 'reserved', 'printer'],
      ['10.1.0.2', 'gateway', 'gateway'],
      ['10.1.0.9', 'reserved', 'router'],
    ]);
  });

  it.each<[string, SubnetSpec, object]>([
    ['text', { cidr: 'ten' }, { code: 'subnet_malformed', field: 'subnets.0.cidr' }],
    [
      'host bits',
      { cidr: '10.0.0.1/24' },
      { code: 'subnet_malformed', facts: { reason: 'host_bits_set' } },
    ],
    [
      'multicast',
      { cidr: '224.1.0.0/16' },
      { code: 'subnet_malformed', facts: { reason: 'special' } },
    ],
    ['everything', { cidr: '0.0.0.0/0' }, { code: 'subnet_malformed' }],
    ['loopback inside', { cidr: '64.0.0.0/2' }, { code: 'subnet_malformed' }],
    [
      'no room',
      { cidr: '10.0.0.1/32' },
      { code: 'subnet_malformed', facts: { reason: 'too_small' } },
    ],
    [
      'range outside',
      { cidr: '10.0.0.0/24', range: '10.0.1.0/25' },
      { code: 'address_outside_subnet', field: 'subnets.0.range' },
    ],
    [
      'gateway outside',
      { cidr: '10.0.0.0/24', gateway: '10.0.1.1' },
      { code: 'address_outside_subnet', field: 'subnets.0.gateway' },
    ],
    [
      'gateway is the broadcast address',
      { cidr: '10.0.0.0/24', gateway: '10.0.0.255' },
      { code: 'address_reserved', facts: { reservedAs: 'broadcast' } },
    ],
    [
      'gateway unreadable',
      { cidr: '10.0.0.0/24', gateway: '10.0.0.01' },
      { code: 'invalid_request', field: 'subnets.0.gateway' },
    ],
    [
      'reserved outside',
      { cidr: '10.0.0.0/24', reserved: { x: 'fd00::1' } },
      { code: 'address_outside_subnet', field: 'subnets.0.reserved.x' },
    ],
    [
      'reserved twice',
      { cidr: '10.0.0.0/24', reserved: { x: '10.0.0.9', y: '10.0.0.9' } },
      { code: 'address_reserved', field: 'subnets.0.reserved.y', facts: { reservedAs: 'x' } },
    ],
    [
      'gateway is reserved',
      { cidr: '10.0.0.0/24', gateway: '10.0.0.9', reserved: { x: '10.0.0.9' } },
      { code: 'address_reserved', field: 'subnets.0.gateway' },
    ],
  ])('refuses a subnet: %s', (_, spec, refusal) => {
    expect(refusalOf(new FixtureStore(), spec)).toMatchObject(refusal);
  });

  it('refuses overlap with a network and names it', () => {
    const store = new FixtureStore();
    store.create({ name: 'web', subnets: [{ cidr: '10.1.0.0/16' }] });
    expect(refusalOf(store, { cidr: '10.2.0.0/16' }, { cidr: '10.1.2.0/24' })).toMatchObject({
      code: 'subnet_overlap',
      field: 'subnets.1.cidr',
      facts: { cidr: '10.1.2.0/24', overlaps: '10.1.0.0/16', network: 'web' },
    });
  });

  it('refuses overlap within the request', () => {
    const answer = refusalOf(new FixtureStore(), { cidr: '10.2.0.0/16' }, { cidr: '10.2.2.0/24' });
    expect(answer).toMatchObject({ code: 'subnet_overlap', field: 'subnets.1.cidr' });
  });

  it('refuses a VNI that is taken', () => {
    const store = new FixtureStore();
    store.create({ name: 'a', vni: 4096 });
    expect(store.create({ name: 'b' }).vni).toBe(4097);
    const plan = store.plan({ id: 'c', name: 'c', vni: 4096 });
    expect(plan).toMatchObject({ ok: false, refusal: { code: 'vni_taken', field: 'vni' } });
  });

  it('lets one of two that chose the same subnet succeed', () => {
    const store = new FixtureStore();
    const [a, b] = [1, 2].map((vni) => store.plan({ id: `n${vni}`, name: `n${vni}`, vni }));
    if (a?.ok !== true || b?.ok !== true) throw new Error('refused');
    expect(store.commit(a.reply.transaction).succeeded).toBe(true);
    expect(store.commit(b.reply.transaction).succeeded).toBe(false);
  });

  it('takes subnets that touch', () => {
    for (const text of ['10.0.0.0/31', 'fd00::/127', '10.0.0.0/30']) {
      expect(parseCidr(text).ok).toBe(true);
      expect(refusalOf(new FixtureStore(), { cidr: text })).not.toHaveProperty('code');
    }
  });
});

describe('adding a subnet', () => {
  it('adds it to the network, the table and the held addresses', () => {
    const store = new FixtureStore();
    const record = store.create({ name: 'web' });
    const network = { record, modRevision: store.get(keys.network('web'))?.modRevision ?? 0 };
    const directory = store.directory();
    const plan = planSubnetAddition({ cidr: 'fd00::/64' }, network, {
      keys,
      cause,
      pools: defaultPools,
      directory,
    });
    if (!plan.ok) throw new Error(plan.refusal.message);
    expect(store.commit(plan.reply.transaction).succeeded).toBe(true);
    expect(store.content('web')?.network.subnets.map((one) => one.gateway)).toEqual([
      '10.0.0.1',
      'fd00::1',
    ]);
    expect(store.directory().table.record.subnets).toHaveLength(2);
    const again = planSubnetAddition({ cidr: '10.0.0.0/25' }, network, {
      keys,
      cause,
      pools: defaultPools,
      directory: store.directory(),
    });
    expect(again).toMatchObject({
      ok: false,
      refusal: { code: 'subnet_overlap', field: 'subnet.cidr' },
    });
  });
});

describe('what no network may have', () => {
  const route = (text: string, host: string) => ({ cidr: cidr(text), host });
  const exclude = (store: FixtureStore, text: string, reason?: string) => {
    const plan = planExclusion({ cidr: text, reason }, store.directory(), { keys, cause });
    if (!plan.ok) return plan.refusal;
    expect(store.commit(plan.reply.transaction).succeeded).toBe(true);
    return plan.reply.reply;
  };
  const excluded = (store: FixtureStore) =>
    store.directory().table.record.excluded?.map((one) => one.cidr);

  it('is refused by name, with where that is written', () => {
    const store = new FixtureStore();
    exclude(store, '10.9.0.0/16', 'the office');
    const pools = { ...defaultPools, excluded: [cidr('172.16.0.0/12')] };
    const ask = (text: string) =>
      store.plan({ id: 'n', name: 'n', subnets: [{ cidr: text }] }, pools);
    expect(ask('172.16.5.0/24')).toMatchObject({
      refusal: {
        code: 'subnet_excluded',
        field: 'subnets.0.cidr',
        facts: { overlaps: '172.16.0.0/12', excludedBy: 'configuration' },
      },
    });
    expect(ask('10.8.0.0/15')).toMatchObject({
      refusal: {
        code: 'subnet_excluded',
        message: '10.8.0.0/15 overlaps 10.9.0.0/16, which is excluded: the office',
        facts: { overlaps: '10.9.0.0/16', excludedBy: 'store', reason: 'the office' },
      },
    });
    expect(ask('10.10.0.0/16')).toMatchObject({ ok: true });
  });

  it('is what a host routes, too, and a default subnet is cut elsewhere', () => {
    const store = new FixtureStore();
    const directory = {
      ...store.directory(),
      routes: [route('10.0.0.0/23', 'h1'), route('192.168.7.0/24', 'h2')],
    };
    const context = { keys, pools: defaultPools, cause, complete: (part: NetworkRecord) => part };
    const ask = (wish: object) => planNetwork({ id: 'n', name: 'n', ...wish }, directory, context);
    expect(ask({ subnets: [{ cidr: '192.168.0.0/16' }] })).toMatchObject({
      refusal: {
        code: 'subnet_routed',
        message: '192.168.0.0/16 overlaps 192.168.7.0/24, which host h2 routes',
        facts: { cidr: '192.168.0.0/16', overlaps: '192.168.7.0/24', host: 'h2' },
      },
    });
    expect(ask({})).toMatchObject({ reply: { reply: { subnets: [{ cidr: '10.0.2.0/24' }] } } });
    expect(ask({ subnets: [{ cidr: '192.168.0.0/16' }], allowOverlap: true })).toMatchObject({
      reply: { reply: { allowOverlap: true } },
    });
  });

  it('may be had by a network that asked to overlap, but its own subnets may not meet', () => {
    const store = new FixtureStore();
    exclude(store, '10.9.0.0/16');
    store.create({ name: 'web', subnets: [{ cidr: '10.1.0.0/16' }] });
    const subnets = [{ cidr: '10.9.0.0/24' }, { cidr: '10.1.0.0/24' }];
    const record = store.create({ name: 'lab', subnets, allowOverlap: true });
    const twice = [{ cidr: '10.5.0.0/16' }, { cidr: '10.5.5.0/24' }];
    expect(store.plan({ id: 'n', name: 'n', subnets: twice, allowOverlap: true })).toMatchObject({
      refusal: { code: 'subnet_overlap', field: 'subnets.1.cidr' },
    });
    const add = (text: string) =>
      planSubnetAddition(
        { cidr: text },
        { record, modRevision: 1 },
        { keys, cause, pools: defaultPools, directory: store.directory() },
      );
    expect(add('10.9.0.128/25')).toMatchObject({ refusal: { code: 'subnet_overlap' } });
    expect(add('10.1.128.0/24')).toMatchObject({ ok: true });
    // One that did not ask does not get what another one has, overlapping or not.
    expect(refusalOf(store, { cidr: '10.1.0.0/28' })).toMatchObject({ code: 'subnet_overlap' });
  });

  it('is written against the table of subnets: neither can come in between', () => {
    const store = new FixtureStore();
    const plan = planExclusion({ cidr: '10.0.0.0/16' }, store.directory(), { keys, cause });
    const network = store.plan({ id: 'n', name: 'n' });
    if (!plan.ok || !network.ok) throw new Error('refused');
    expect(store.commit(plan.reply.transaction).succeeded).toBe(true);
    expect(store.commit(network.reply.transaction).succeeded).toBe(false);

    const late = planExclusion({ cidr: '10.7.0.0/16' }, store.directory(), { keys, cause });
    store.create({ name: 'first', subnets: [{ cidr: '10.7.1.0/24' }] });
    expect(late.ok && store.commit(late.reply.transaction).succeeded).toBe(false);
  });

  it('is no subnet in use, and no prefix that can’t be read', () => {
    const store = new FixtureStore();
    store.create({ name: 'web', subnets: [{ cidr: '10.1.0.0/16' }] });
    expect(exclude(store, '10.0.0.0/8')).toMatchObject({
      code: 'subnet_overlap',
      facts: { network: 'web', overlaps: '10.1.0.0/16' },
    });
    expect(exclude(store, '10.0.0.1/8')).toMatchObject({ code: 'subnet_malformed', field: 'cidr' });
    expect(exclude(store, '')).toMatchObject({ code: 'subnet_malformed' });
  });

  it('is kept when networks come and go, written once, and ended by name', () => {
    const store = new FixtureStore();
    exclude(store, '10.9.0.0/16', 'one');
    exclude(store, '10.9.0.0/16', 'two');
    exclude(store, 'fd99::/16');
    const record = store.create({ name: 'web' });
    const network = { record, modRevision: store.get(keys.network('web'))?.modRevision ?? 0 };
    const { table } = store.directory();
    store.commit(planNetworkDeletion(network, { keys, table, revision: store.revision }));
    expect(excluded(store)).toEqual(['10.9.0.0/16', 'fd99::/16']);
    expect(planInclusion('10.9.0.0/17', store.directory(), { keys })).toBeNull();
    for (const text of ['10.9.0.0/16', 'FD99::/16']) {
      const plan = planInclusion(text, store.directory(), { keys });
      expect(plan && store.commit(plan.transaction).succeeded).toBe(true);
    }
    expect(excluded(store)).toBeUndefined();
  });

  it('has a limit', () => {
    const store = new FixtureStore();
    for (let index = 0; index < maxExclusions; index += 1) exclude(store, `10.9.${index}.0/24`);
    expect(exclude(store, '10.10.0.0/24')).toMatchObject({ code: 'invalid_request' });
    expect(exclude(store, '10.9.0.0/24', 'known')).toMatchObject({ reason: 'known' });
  });
});

describe('deleting a network', () => {
  const setUp = () => {
    const store = new FixtureStore();
    const record = store.create({ name: 'web' });
    store.put(keys.actor('network', 'web'), {});
    const { table } = store.directory();
    const network = { record, modRevision: store.get(keys.network('web'))?.modRevision ?? 0 };
    return {
      store,
      deletion: planNetworkDeletion(network, { keys, table, revision: store.revision }),
    };
  };

  it('leaves nothing of it behind', () => {
    const { store, deletion } = setUp();
    store.put(keys.mac('web', '02:00:00:00:00:01'), { endpointId: 'e' });
    expect(store.commit(deletion).succeeded).toBe(true);
    expect(store.all('/').map(({ key }) => key)).toEqual(['/subnet-table']);
    expect(store.directory().table.record.subnets).toEqual([]);
  });

  it.each(['/address/web/4-0a000005', '/endpoint/web/e1'])('fails if %s came meanwhile', (key) => {
    const { store, deletion } = setUp();
    store.put(key, {});
    expect(store.commit(deletion).succeeded).toBe(false);
  });
});
