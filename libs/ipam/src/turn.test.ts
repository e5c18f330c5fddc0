import { beforeEach, describe, expect, it } from '@jest/globals';
import { address, sortableAddress } from '@skein/ip';
import fc from 'fast-check';
import { keys } from './fixture';
import { type Transaction } from './records';
import { type AddressCommand } from './turn';
import { countUsage } from './usage';
import {
  addressesOf,
  allocate,
  create,
  refusalOf,
  release,
  reset,
  restMs,
  run,
  store,
  turnOn,
  view,
} from './turn-fixture';

beforeEach(reset);

describe('a dynamic address', () => {
  it('is the next one of the range, then of the next subnet', () => {
    create({ cidr: '10.0.0.0/24', range: '10.0.0.8/30' }, { cidr: '10.0.1.0/30' });
    expect(addressesOf(run(allocate('a', 'b')))).toEqual(['10.0.0.8/24', '10.0.0.9/24']);
    expect(addressesOf(run(allocate('c', 'd', 'e')))).toEqual([
      '10.0.0.10/24',
      '10.0.0.11/24',
      '10.0.1.2/30',
    ]);
    expect(refusalOf(run(allocate('f')))).toMatchObject({
      code: 'pool_exhausted',
      facts: {
        total: 256,
        used: 5,
        resting: 0,
        reserved: 2,
        subnets: [
          { cidr: '10.0.0.0/24', total: 254, used: 4 },
          { cidr: '10.0.1.0/30', total: 2, used: 1 },
        ],
        holders: [{ address: '10.0.0.8', endpointId: 'a', host: 'h1' }, {}, {}, {}, {}],
        hosts: [{ host: 'h1', addresses: 5 }],
      },
    });
  });

  it('is never reserved, the gateway, the network’s or the broadcast address', () => {
    create({ cidr: '10.0.0.0/29', gateway: '10.0.0.3', reserved: { x: '10.0.0.5' } });
    expect(addressesOf(run(allocate('a', 'b', 'c', 'd')))).toEqual([
      '10.0.0.1/29',
      '10.0.0.2/29',
      '10.0.0.4/29',
      '10.0.0.6/29',
    ]);
    expect(addressesOf(run(allocate('e')))).toEqual(['pool_exhausted']);
  });

  it('rests after its release while another one is free', () => {
    create({ cidr: '10.0.0.0/29' });
    expect(addressesOf(run(allocate('a', 'b', 'c')))).toHaveLength(3);
    run(release('a'), 10_000);
    expect(addressesOf(run(allocate('d', 'e'), 10_500))).toEqual(['10.0.0.5/29', '10.0.0.6/29']);
    // Nothing else is free: better a resting one than none.
    expect(addressesOf(run(allocate('f'), 10_600))).toEqual(['10.0.0.2/29']);
  });

  it('that rested longest goes first when all others are held', () => {
    create({ cidr: '10.0.0.0/29' });
    run(allocate('a', 'b', 'c', 'd', 'e'));
    run(release('c'), 10_000);
    run(release('a'), 10_001);
    expect(addressesOf(run(allocate('f'), 10_002))).toEqual(['10.0.0.4/29']);
  });

  it('is found at once in a subnet of 2^64', () => {
    create({ cidr: 'fd00::/64' });
    expect(addressesOf(run(allocate('a', 'b')))).toEqual(['fd00::2/64', 'fd00::3/64']);
    expect(addressesOf(run(release('a')))).toEqual(['nothing']);
    expect(addressesOf(run(allocate('c')))).toEqual(['fd00::4/64']);
  });

  it('goes on after the last one when another replica takes over', () => {
    create({ cidr: '10.0.0.0/24' });
    run(allocate('a', 'b', 'c'));
    run(release('c'));
    const turn = turnOn(view());
    turn.run(allocate('d'));
    expect(turn.transaction().success[0]).toMatchObject({ key: '/address/web/4-0a000005' });
  });
});

describe('a static address', () => {
  beforeEach(() => {
    create({ cidr: '10.0.0.0/24', reserved: { printer: '10.0.0.9' } }, { cidr: '10.0.1.0/24' });
    run(allocate(['holder', { addresses: ['10.0.0.7'] }]));
  });

  it.each([
    ['10.0.0.7', { code: 'address_taken', facts: { holder: 'holder', host: 'h1', since: 1_000 } }],
    ['10.0.0.9', { code: 'address_reserved', facts: { reservedAs: 'printer' } }],
    ['10.0.0.1', { code: 'address_reserved', facts: { reservedAs: 'gateway' } }],
    ['10.0.0.0', { code: 'address_reserved', facts: { reservedAs: 'network' } }],
    ['10.0.1.255', { code: 'address_reserved', facts: { reservedAs: 'broadcast' } }],
    [
      '10.0.2.1',
      { code: 'address_outside_subnet', facts: { subnets: ['10.0.0.0/24', '10.0.1.0/24'] } },
    ],
    ['fd00::1', { code: 'address_outside_subnet' }],
    ['10.0.0.07', { code: 'invalid_request', facts: { reason: 'leading_zero' } }],
  ])('%s is refused', (text, refusal) => {
    const outcome = run(allocate('x', ['y', { addresses: [text] }]));
    expect(refusalOf(outcome)).toMatchObject({ ...refusal, field: 'requests.1.addresses.0' });
    expect(store.addresses('web').filter(({ kind }) => kind === 'endpoint')).toHaveLength(1);
  });

  it('may rest', () => {
    run(release('holder'));
    expect(addressesOf(run(allocate(['y', { addresses: ['10.0.0.7'] }])))).toEqual(['10.0.0.7/24']);
  });

  it('can be one of several', () => {
    const wanted = { addresses: ['10.0.1.5', '10.0.0.5'] };
    expect(addressesOf(run(allocate(['y', wanted])))).toEqual(['10.0.0.5/24', '10.0.1.5/24']);
    expect(addressesOf(run(allocate(['y', wanted])))).toEqual(['10.0.0.5/24', '10.0.1.5/24']);
    expect(refusalOf(run(allocate(['y', { addresses: ['10.0.0.6'] }])))).toMatchObject({
      code: 'invalid_request',
      facts: { holds: ['10.0.0.5', '10.0.1.5'] },
    });
  });
});

describe('an allocation', () => {
  it('repeated for an endpoint answers the same and writes nothing', () => {
    create({ cidr: '10.0.0.0/24' });
    const first = run(allocate('a', 'b'));
    const { revision } = store;
    expect(run(allocate('b', 'a'))).toMatchObject({
      reply: { allocations: first?.ok === true ? [{ endpointId: 'b' }, { endpointId: 'a' }] : [] },
    });
    expect(addressesOf(run(allocate('a', 'b')))).toEqual(addressesOf(first));
    expect(store.revision).toBe(revision);
  });

  it('names no endpoint twice', () => {
    create({ cidr: '10.0.0.0/24' });
    expect(refusalOf(run(allocate('a', 'a')))).toMatchObject({
      code: 'invalid_request',
      field: 'requests.1.endpointId',
    });
  });

  it('that would not fit into a transaction is refused', () => {
    create({ cidr: 'fd00::/64' });
    const names = Array.from({ length: 512 }, (_, index) => `e${index}`);
    expect(refusalOf(run(allocate(...names)))).toMatchObject({ code: 'invalid_request' });
    expect(addressesOf(run(allocate(...names.slice(1))))).toHaveLength(511);
  });

  it('of which one can’t be had gives none, the one before it included', () => {
    create({ cidr: '10.0.0.0/29' });
    const twice = { addresses: ['10.0.0.4'] };
    expect(refusalOf(run(allocate('a', ['b', twice], ['c', twice])))).toMatchObject({
      code: 'address_taken',
      field: 'requests.2.addresses.0',
      facts: { holder: 'b' },
    });
    expect(refusalOf(run(allocate('a', 'b', 'c', 'd', 'e', 'f')))).toMatchObject({
      code: 'pool_exhausted',
      field: 'requests.5',
    });
    expect(store.addresses('web').filter(({ kind }) => kind === 'endpoint')).toEqual([]);
  });
});

describe('a MAC address', () => {
  const mac = '02:00:00:00:00:01';
  beforeEach(() => void create({ cidr: '10.0.0.0/24' }, { cidr: 'fd00::/64' }));

  it('follows from the IPv4 address', () => {
    expect(run(allocate('a'))).toMatchObject({
      reply: { allocations: [{ mac: '02:42:0a:00:00:02' }] },
    });
    expect(store.all(keys.macs('web'))).toEqual([]);
  });

  it('of choice has one holder, until that is released', () => {
    expect(run(allocate(['a', { mac }]))).toMatchObject({ ok: true });
    expect(refusalOf(run(allocate(['b', { mac }])))).toMatchObject({
      code: 'mac_taken',
      field: 'requests.0.mac',
      facts: { holder: 'a' },
    });
    expect(run(allocate('a'))).toMatchObject({ reply: { allocations: [{ mac }] } });
    run(release('a'));
    expect(run(allocate(['b', { mac }]))).toMatchObject({ ok: true });
  });

  it('that spells an address belongs to whoever holds that', () => {
    expect(run(allocate(['holder', { addresses: ['10.0.0.8'] }]))).toMatchObject({ ok: true });
    const wanted = ['a', { addresses: ['10.0.0.9'], mac: '02:42:0a:00:00:08' }] as [string, object];
    expect(refusalOf(run(allocate(wanted)))).toMatchObject({
      code: 'mac_taken',
      facts: { address: '10.0.0.8', holder: 'holder' },
    });
    const group = ['a', { mac: '01:00:00:00:00:01' }] as [string, object];
    expect(refusalOf(run(allocate(group)))).toMatchObject({ code: 'invalid_request' });
  });

  it('that spells an address of nobody may be chosen, and is not given to who gets that later', () => {
    const wanted = ['a', { addresses: ['10.0.0.9'], mac: '02:42:0a:00:00:08' }] as [string, object];
    expect(run(allocate(wanted))).toMatchObject({
      reply: { allocations: [{ mac: '02:42:0a:00:00:08' }] },
    });
    expect(run(allocate(['b', { addresses: ['10.0.0.8'] }]))).toMatchObject({
      reply: { allocations: [{ mac: expect.stringMatching(/^02:43/) }] },
    });
    const again = ['c', { mac: '02:42:0a:00:00:08' }] as [string, object];
    expect(refusalOf(run(allocate(again)))).toMatchObject({
      code: 'mac_taken',
      facts: { holder: 'a' },
    });
  });

  it('that follows from IPv6 has a record', () => {
    const outcome = run(allocate(['a', { addresses: ['fd00::9'], families: ['ipv6'] }]));
    expect(outcome).toMatchObject({
      reply: { allocations: [{ mac: expect.stringMatching(/^02:43/) }] },
    });
    expect(store.all(keys.macs('web'))).toHaveLength(1);
    expect(run(allocate('a'))).toEqual(outcome);
  });
});

describe('the transaction of a turn', () => {
  const commit = (transaction: Transaction) => store.commit(transaction).succeeded;

  it('gives an address to one of two that chose it', () => {
    create({ cidr: '10.0.0.0/24' });
    const [first, second] = [turnOn(view()), turnOn(view())];
    first.run(allocate('a'));
    second.run(allocate('b'));
    expect(commit(first.transaction())).toBe(true);
    expect(commit(second.transaction())).toBe(false);
    expect(store.addresses('web').map(({ endpointId }) => endpointId)).toEqual([undefined, 'a']);
  });

  it('fails if a resting address was taken meanwhile', () => {
    create({ cidr: '10.0.0.0/30' });
    run(allocate('a'));
    run(release('a'));
    const [first, second] = [turnOn(view()), turnOn(view())];
    first.run(allocate('b'));
    second.run(allocate('c'));
    expect(commit(first.transaction())).toBe(true);
    expect(commit(second.transaction())).toBe(false);
  });

  it('fails if what it confirms was released meanwhile', () => {
    create({ cidr: '10.0.0.0/24' });
    run(allocate('a'));
    const old = turnOn(view());
    expect(old.run(allocate('a'))).toMatchObject({ ok: true });
    run(release('a'));
    expect(commit(old.transaction())).toBe(false);
  });

  it('fails once another activation has begun, whatever it is for', () => {
    create({ cidr: '10.0.0.0/24' });
    const turns = [allocate('a'), release('nobody')].map((command) => {
      const turn = turnOn(view());
      turn.run(command);
      return turn;
    });
    store.apply({ type: 'delete', key: keys.actor('network', 'web') });
    store.put(keys.actor('network', 'web'), {});
    expect(turns.map((turn) => commit(turn.transaction()))).toEqual([false, false]);
  });

  it('fails if a subnet was added meanwhile', () => {
    create({ cidr: '10.0.0.0/24' });
    const turn = turnOn(view());
    turn.run(allocate('a'));
    store.put(keys.network('web'), { ...view().network });
    expect(commit(turn.transaction())).toBe(false);
  });

  it('takes no address back whose endpoint is attached, known or not', () => {
    create({ cidr: '10.0.0.0/24' });
    run(allocate('a', 'b'));
    store.put(keys.endpoint('web', 'a'), {});
    const blind = turnOn(view());
    expect(blind.run(release('b', 'a'))).toMatchObject({ ok: true });
    expect(commit(blind.transaction())).toBe(false);

    const told = view();
    told.refreshAttached('a', true);
    const turn = turnOn(told);
    expect(refusalOf(turn.run(release('b', 'a')))).toMatchObject({
      code: 'endpoint_attached',
      field: 'endpointIds.1',
      facts: { endpointId: 'a', addresses: ['10.0.0.2'] },
    });
    const refused = turn.transaction();
    expect(refused.success).toEqual([]);
    store.apply({ type: 'delete', key: keys.endpoint('web', 'a') });
    // The refusal itself is not true any more.
    expect(commit(refused)).toBe(false);
    expect(run(release('b', 'a'))).toMatchObject({ reply: { released: 2 } });
  });

  it.each<[string, AddressCommand, string]>([
    ['a taken address', allocate(['x', { addresses: ['10.0.0.2'] }]), '4-0a000002'],
    ['other addresses of its own', allocate(['a', { addresses: ['10.0.0.9'] }]), '4-0a000002'],
    ['a reserved address', allocate(['x', { addresses: ['10.0.0.1'] }]), '4-0a000001'],
  ])('that refuses %s fails if that was another’s by now', (_, command, sortable) => {
    create({ cidr: '10.0.0.0/24' });
    run(allocate('a'));
    const turn = turnOn(view());
    expect(turn.run(command)).toMatchObject({ ok: false });
    store.apply({ type: 'delete', key: keys.address('web', sortable) });
    expect(commit(turn.transaction())).toBe(false);
  });

  it('leaves what touches a written key to the next turn', () => {
    create({ cidr: '10.0.0.0/24' });
    const turn = turnOn(view());
    expect(turn.run(allocate('a'))).toMatchObject({ ok: true });
    expect(turn.run(allocate('a'))).toMatchObject({ ok: true });
    expect(turn.run(release('a'))).toBeNull();
    expect(turn.run(allocate(['b', { addresses: ['10.0.0.2'] }]))).toMatchObject({ ok: false });
    expect(commit(turn.transaction())).toBe(true);
  });

  it('drops records of addresses that have rested', () => {
    create({ cidr: '10.0.0.0/24' });
    run(allocate('a', 'b', 'c'));
    run(release('a', 'b'), 10_000);
    const turn = turnOn(view(), 10_000 + restMs);
    turn.run(allocate('d'));
    turn.sweep();
    expect(commit(turn.transaction())).toBe(true);
    expect(store.addresses('web').map((one) => one.address)).toEqual([
      '10.0.0.1',
      '10.0.0.4',
      '10.0.0.5',
    ]);
  });

  it('drops a record that a refusal stands on as it was', () => {
    create({ cidr: '10.0.0.0/24' });
    run(allocate('a'));
    run(release('a'), 10_000);
    run(allocate('a'), 10_001);
    const turn = turnOn(view(), 10_000 + restMs);
    const wanted = { addresses: ['10.0.0.2'] };
    expect(turn.run(allocate(['b', wanted], ['a', wanted]))).toMatchObject({ ok: false });
    turn.sweep();
    expect(commit(turn.transaction())).toBe(true);
  });
});

describe('a view', () => {
  it('agrees with one that is read anew, whatever was done', () => {
    const step = fc.record({
      isRelease: fc.boolean(),
      ids: fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 3 }),
      wanted: fc.option(fc.integer({ min: 0, max: 9 })),
      wait: fc.integer({ min: 0, max: 600 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        reset();
        const network = create(
          { cidr: '10.0.0.0/29' },
          { cidr: 'fd00::/125', range: 'fd00::4/127' },
        );
        const kept = view();
        let now = 10_000;
        for (const { isRelease, ids, wanted, wait } of steps) {
          now += wait;
          const turn = turnOn(kept, now);
          const names = ids.map((id) => `e${id}`);
          const rest = wanted === null ? {} : { addresses: [`10.0.0.${wanted}`] };
          const requests = names.map((name): [string, object] => [name, rest]);
          turn.run(isRelease ? release(...names) : allocate(...requests));
          turn.sweep();
          const { succeeded, revision } = store.commit(turn.transaction());
          expect(succeeded).toBe(true);
          kept.settle(revision, now + restMs);
        }
        const fresh = view();
        for (const record of store.addresses('web')) {
          const sortable = sortableAddress(address(record.address));
          expect(kept.entry(sortable)).toEqual(fresh.entry(sortable));
          const holder = record.endpointId ?? '';
          expect(kept.heldByEndpoint(holder)).toEqual(fresh.heldByEndpoint(holder));
        }
        expect(countUsage(network, kept.records(), now)).toEqual(
          countUsage(network, fresh.records(), now),
        );
        expect(kept.pools.map((pool) => pool.hasFree)).toEqual(
          fresh.pools.map((pool) => pool.hasFree),
        );
      }),
      { numRuns: 60 },
    );
  });
});
