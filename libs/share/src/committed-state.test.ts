// Shares derived from the committed state: by table, and against a naive derivation over random histories.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyDelta, canonicalJson, CommittedState, digestOf, networkMtu } from './index';
import { emptyShare, isEmptyDelta } from './index';
import type { EndpointFact, HostFact, NetworkFact, Share, StateChange } from './index';

function network(id: string, fields: Partial<NetworkFact> = {}): StateChange {
  const subnets = [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1', reserved: {} }];
  const record = { id, name: `name-${id}`, vni: 7, internal: false, subnets, ...fields };
  return { kind: 'network', id, record };
}

function host(id: string, fields: Partial<HostFact> = {}): StateChange {
  const record: HostFact = { id, vtep: '192.0.2.1', underlayMtu: 1500, state: 'up', ...fields };
  return { kind: 'host', id, record };
}

function endpoint(id: string, networkId: string, hostId: string, netns?: string): StateChange {
  const record: EndpointFact = {
    id,
    networkId,
    host: hostId,
    name: id,
    aliases: [],
    addresses: ['10.1.0.2/24'],
    mac: '02:42:0a:01:00:02',
    ...(netns === undefined ? {} : { sandbox: { netns } }),
  };
  return { kind: 'endpoint', id, record };
}

function ids(items: readonly { id: string }[]): string[] {
  return items.map((item) => item.id).sort();
}

function sorted(share: Share): string {
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
  return canonicalJson({
    hosts: share.hosts.toSorted(byId),
    networks: share.networks.toSorted(byId),
    endpoints: share.endpoints.toSorted(byId),
  });
}

describe('share of a host', () => {
  const state = new CommittedState();
  state.apply([
    network('web'),
    network('db'),
    ...['h1', 'h2', 'h3', 'h4'].map((id) => host(id)),
    endpoint('a', 'web', 'h1', '/run/netns/a'),
    endpoint('b', 'web', 'h2', '/run/netns/b'),
    endpoint('c', 'db', 'h2'),
    endpoint('d', 'db', 'h3'),
  ]);

  it('holds the networks it has endpoints on, all their endpoints and their hosts', () => {
    const share = state.shareOf('h2');
    expect(ids(share.networks)).toEqual(['db', 'web']);
    expect(ids(share.endpoints)).toEqual(['a', 'b', 'c', 'd']);
    expect(ids(share.hosts)).toEqual(['h1', 'h2', 'h3']);
  });

  it('holds nothing of other networks', () => {
    const share = state.shareOf('h1');
    expect(ids(share.networks)).toEqual(['web']);
    expect(ids(share.endpoints)).toEqual(['a', 'b']);
    expect(ids(share.hosts)).toEqual(['h1', 'h2']);
  });

  it('is the host alone where it has no endpoint', () => {
    expect(state.shareOf('h4')).toEqual({
      hosts: [{ id: 'h4', vtep: '192.0.2.1', live: true }],
      networks: [],
      endpoints: [],
    });
  });

  it('shows sandboxes of its own endpoints only', () => {
    const sandboxes = state.shareOf('h1').endpoints.map(({ id, sandbox }) => [id, sandbox?.netns]);
    expect(Object.fromEntries(sandboxes)).toEqual({ a: '/run/netns/a', b: undefined });
  });
});

describe('what a change touches', () => {
  function populated(): CommittedState {
    const state = new CommittedState();
    state.apply([
      network('web'),
      network('db'),
      ...['h1', 'h2', 'h3'].map((id) => host(id)),
      endpoint('a', 'web', 'h1'),
      endpoint('b', 'web', 'h2'),
      endpoint('c', 'db', 'h3'),
    ]);
    return state;
  }

  it('is, for one more endpoint, that endpoint on the hosts of its network', () => {
    const touched = populated().apply([endpoint('e', 'web', 'h1')]);
    expect([...touched.keys()].sort()).toEqual(['h1', 'h2']);
    expect([...touched.get('h2')!.endpoints]).toEqual(['e']);
    expect(touched.get('h2')!.hosts.size + touched.get('h2')!.networks.size).toBe(0);
  });

  it('brings the whole network to a host with its first endpoint', () => {
    const state = populated();
    const before = state.shareOf('h3');
    const touched = state.apply([endpoint('e', 'web', 'h3')]);
    const delta = state.deltaOf('h3', touched.get('h3')!);
    expect(ids(delta.put.networks)).toEqual(['web']);
    expect(ids(delta.put.endpoints)).toEqual(['a', 'b', 'e']);
    expect(ids(delta.put.hosts)).toEqual(['h1', 'h2']);
    expect(sorted(applyDelta(before, delta))).toBe(sorted(state.shareOf('h3')));
  });

  it('takes the whole network from a host with its last endpoint', () => {
    const state = populated();
    const touched = state.apply([{ kind: 'endpoint', id: 'a', record: null }]);
    const delta = state.deltaOf('h1', touched.get('h1')!);
    expect(delta.removed).toEqual({ hosts: ['h2'], networks: ['web'], endpoints: ['a', 'b'] });
    expect(state.deltaOf('h2', touched.get('h2')!).removed.hosts).toEqual(['h1']);
  });

  it('is, for a host that goes down, that host on those that meet it', () => {
    const state = populated();
    const touched = state.apply([host('h2', { state: 'down' })]);
    expect([...touched.keys()].sort()).toEqual(['h1', 'h2']);
    const put = state.deltaOf('h1', touched.get('h1')!).put.hosts;
    expect(put).toEqual([{ id: 'h2', vtep: '192.0.2.1', live: false }]);
  });

  it('is nothing for what no share shows', () => {
    expect(populated().apply([host('h2')]).size).toBe(0);
    expect(populated().apply([network('idle')]).size).toBe(0);
  });
});

describe('overlay MTU', () => {
  const record = (mtu?: number): NetworkFact =>
    ({ ...network('web', mtu === undefined ? {} : { mtu }).record }) as NetworkFact;
  const of = (id: string, fields: Partial<HostFact>): HostFact =>
    host(id, fields).record as HostFact;
  const table: [string, NetworkFact, HostFact[], number][] = [
    ['asked for', record(1280), [of('h1', { underlayMtu: 9000 })], 1280],
    ['IPv4 underlay', record(), [of('h1', {})], 1450],
    ['IPv6 underlay', record(), [of('h1', { vtep: '2001:db8::1' })], 1430],
    ['smallest host', record(), [of('h1', { underlayMtu: 9000 }), of('h2', {})], 1450],
    [
      'overhead per host',
      record(),
      [of('h1', { vtep: '::1' }), of('h2', { underlayMtu: 1490 })],
      1430,
    ],
    ['nobody takes part', record(), [], 1450],
  ];
  it.each(table)('%s', (_name, of, hosts, expected) => {
    expect(networkMtu(of, hosts)).toBe(expected);
  });

  it('changes for everyone when a host with a smaller underlay joins', () => {
    const state = new CommittedState();
    const small = host('h2', { underlayMtu: 1400 });
    state.apply([network('web'), host('h1'), small, endpoint('a', 'web', 'h1')]);
    expect(state.shareOf('h1').networks[0]?.mtu).toBe(1450);
    const touched = state.apply([endpoint('b', 'web', 'h2')]);
    expect(state.deltaOf('h1', touched.get('h1')!).put.networks[0]?.mtu).toBe(1350);
  });
});

const names = fc.constantFrom('n1', 'n2', 'n3');
const hostNames = fc.constantFrom('h1', 'h2', 'h3', 'h4');
const endpointNames = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const changes: fc.Arbitrary<StateChange> = fc.oneof(
  names.map((id) => network(id)),
  fc
    .record({ id: names, mtu: fc.option(fc.constantFrom(1300, 1400), { nil: undefined }) })
    .map(({ id, mtu }) => network(id, mtu === undefined ? {} : { mtu })),
  names.map((id): StateChange => ({ kind: 'network', id, record: null })),
  fc
    .record({
      id: hostNames,
      state: fc.constantFrom('up' as const, 'down' as const),
      underlayMtu: fc.constantFrom(1400, 1500),
    })
    .map(({ id, ...fields }) => host(id, fields)),
  hostNames.map((id): StateChange => ({ kind: 'host', id, record: null })),
  fc
    .tuple(endpointNames, names, hostNames, fc.boolean())
    .map(([id, net, at, sandboxed]) =>
      endpoint(id, net, at, sandboxed ? '/run/netns/x' : undefined),
    ),
  endpointNames.map((id): StateChange => ({ kind: 'endpoint', id, record: null })),
);

describe('random histories', () => {
  it('keep every share equal to one derived from scratch, by delta and by digest', () => {
    const all = ['h1', 'h2', 'h3', 'h4'];
    fc.assert(
      fc.property(fc.array(fc.array(changes, { maxLength: 4 }), { maxLength: 25 }), (steps) => {
        const state = new CommittedState();
        const records = new Map<string, StateChange>();
        const held = new Map<string, Share>(all.map((id) => [id, emptyShare()]));
        for (const step of steps) {
          for (const change of step) records.set(`${change.kind}/${change.id}`, change);
          const touched = state.apply(step);
          const scratch = new CommittedState();
          scratch.apply(records.values());
          for (const hostId of all) {
            const share = state.shareOf(hostId);
            const mine = touched.get(hostId);
            if (mine !== undefined) {
              held.set(hostId, applyDelta(held.get(hostId)!, state.deltaOf(hostId, mine)));
            }
            expect(sorted(share)).toBe(sorted(scratch.shareOf(hostId)));
            expect(sorted(held.get(hostId)!)).toBe(sorted(share));
            expect(state.digestOf(hostId)).toBe(digestOf(share));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('touch no host whose share stays as it was, endpoints put again aside', () => {
    const state = new CommittedState();
    state.apply([network('n1'), host('h1'), host('h2'), endpoint('a', 'n1', 'h1')]);
    const touched = state.apply([endpoint('b', 'n1', 'h1')]);
    expect(touched.has('h2')).toBe(false);
    expect(isEmptyDelta(state.deltaOf('h1', touched.get('h1')!))).toBe(false);
  });
});
