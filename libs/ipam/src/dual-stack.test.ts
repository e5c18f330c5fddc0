import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  addressesOf,
  allocate,
  create,
  refusalOf,
  release,
  reset,
  run,
  store,
} from './turn-fixture';

beforeEach(reset);

describe('on a network of both families, an endpoint', () => {
  const wanting = (endpointId: string, rest: object): [string, object] => [endpointId, rest];
  beforeEach(
    () =>
      void create(
        { cidr: 'fd00::/126', gateway: 'fd00::3' },
        { cidr: '10.0.0.0/29', range: '10.0.0.4/31' },
        { cidr: 'fd01::/64', range: 'fd01::8000/113', reserved: { router: 'fd01::8000' } },
      ),
  );

  it('gets an address of each, IPv4 first, whichever subnet comes first', () => {
    expect(run(allocate('a'))).toMatchObject({
      reply: {
        allocations: [{ addresses: ['10.0.0.4/29', 'fd00::1/126'], mac: '02:42:0a:00:00:04' }],
      },
    });
  });

  it('gets its IPv6 address of the next subnet’s range once the first is full', () => {
    const only = { families: ['ipv6'] };
    const asked = ['a', 'b', 'c', 'd'].map((id) => wanting(id, only));
    expect(addressesOf(run(allocate(...asked)))).toEqual([
      'fd00::1/126',
      'fd00::2/126',
      'fd01::8001/64',
      'fd01::8002/64',
    ]);
  });

  it('gets nothing if one of the families is exhausted, and is told which', () => {
    expect(addressesOf(run(allocate('a', 'b')))).toHaveLength(4);
    const before = store.revision;
    expect(refusalOf(run(allocate('c')))).toMatchObject({
      code: 'pool_exhausted',
      message: 'web has no free ipv4 address',
      facts: { total: 6, used: 2, reserved: 1, subnets: [{ cidr: '10.0.0.0/29' }] },
    });
    expect(store.revision).toBe(before);
    expect(addressesOf(run(allocate(wanting('c', { families: ['ipv6'] }))))).toHaveLength(1);
  });

  it.each<[string, object, string[]]>([
    ['a static IPv4 address', { addresses: ['10.0.0.2'] }, ['10.0.0.2/29', 'fd00::1/126']],
    ['a static IPv6 address', { addresses: ['fd01::9'] }, ['10.0.0.4/29', 'fd01::9/64']],
    [
      'static addresses of both',
      { addresses: ['fd01::9', '10.0.0.2'] },
      ['10.0.0.2/29', 'fd01::9/64'],
    ],
    [
      'a static address and no other family',
      { addresses: ['fd01::9'], families: ['ipv6'] },
      ['fd01::9/64'],
    ],
    [
      'a static address of one family and one of choice of the other',
      { addresses: ['fd01::9'], families: ['ipv4'] },
      ['10.0.0.4/29', 'fd01::9/64'],
    ],
    ['both by name', { families: ['ipv6', 'ipv4'] }, ['10.0.0.4/29', 'fd00::1/126']],
  ])('may ask for %s', (_, rest, addresses) => {
    expect(addressesOf(run(allocate(wanting('a', rest))))).toEqual(addresses);
    expect(addressesOf(run(allocate(wanting('a', rest))))).toEqual(addresses);
  });

  it('gives both back at once', () => {
    run(allocate('a'));
    run(release('a'));
    const states = store.addresses('web').filter(({ kind }) => kind === 'endpoint');
    expect(states.map(({ state }) => state)).toEqual(['resting', 'resting']);
  });

  it('is told of a family that the network does not have', () => {
    reset();
    create({ cidr: '10.0.0.0/24' });
    expect(refusalOf(run(allocate(wanting('a', { families: ['ipv4', 'ipv6'] }))))).toMatchObject({
      code: 'address_outside_subnet',
      field: 'requests.0.families.1',
      facts: { families: ['ipv4'] },
    });
  });
});
