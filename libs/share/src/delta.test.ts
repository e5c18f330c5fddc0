// Deltas and digests over arbitrary shares.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyDelta, canonicalJson, diff, digestOf, isEmptyDelta, KeptShare } from './index';
import { endpointJson, hashEndpoint, hashText } from './digest';
import type { Share } from './index';

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const shares: fc.Arbitrary<Share> = fc.record({
  hosts: fc.uniqueArray(
    fc.record({ id, vtep: fc.constantFrom('192.0.2.1', '192.0.2.2'), live: fc.boolean() }),
    { selector: (host) => host.id },
  ),
  networks: fc.uniqueArray(
    fc.record({
      id,
      name: fc.constantFrom('web', 'db'),
      vni: fc.integer({ min: 1, max: 3 }),
      mtu: fc.constantFrom(1450, 1400),
      internal: fc.boolean(),
      subnets: fc.constant([{ cidr: '10.1.0.0/24', gateway: '10.1.0.1', reserved: {} }]),
    }),
    { selector: (network) => network.id },
  ),
  endpoints: fc.uniqueArray(
    fc.record({
      id,
      networkId: id,
      host: id,
      name: fc.constantFrom('x', 'y'),
      aliases: fc.array(fc.constantFrom('p', 'q'), { maxLength: 2 }),
      addresses: fc.constantFrom(['10.1.0.2/24'], ['10.1.0.3/24']),
      mac: fc.constant('02:42:0a:01:00:02'),
    }),
    { selector: (endpoint) => endpoint.id },
  ),
});

function sorted(share: Share): string {
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
  return canonicalJson({
    hosts: share.hosts.toSorted(byId),
    networks: share.networks.toSorted(byId),
    endpoints: share.endpoints.toSorted(byId),
  });
}

describe('delta', () => {
  it('turns one share into the other', () => {
    fc.assert(
      fc.property(shares, shares, (before, after) => {
        expect(sorted(applyDelta(before, diff(before, after)))).toBe(sorted(after));
      }),
    );
  });

  it('is empty between equal shares', () => {
    fc.assert(
      fc.property(shares, (share) => {
        expect(isEmptyDelta(diff(share, structuredClone(share)))).toBe(true);
      }),
    );
  });

  it('puts only what differs', () => {
    const before: Share = {
      hosts: [
        { id: 'h1', vtep: '192.0.2.1', live: true },
        { id: 'h2', vtep: '192.0.2.2', live: true },
      ],
      networks: [],
      endpoints: [],
    };
    const after: Share = {
      ...before,
      hosts: [
        { id: 'h2', vtep: '192.0.2.2', live: false },
        { id: 'h1', vtep: '192.0.2.1', live: true },
      ],
    };
    const delta = diff(before, after);
    expect(delta.put.hosts).toEqual([{ id: 'h2', vtep: '192.0.2.2', live: false }]);
    expect(delta.removed.hosts).toEqual([]);
  });
});

describe('digest', () => {
  it('is equal exactly for equal shares', () => {
    fc.assert(
      fc.property(shares, shares, (one, other) => {
        expect(digestOf(one) === digestOf(other)).toBe(sorted(one) === sorted(other));
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order of items', () => {
    fc.assert(
      fc.property(shares, (share) => {
        const reversed: Share = {
          hosts: share.hosts.toReversed(),
          networks: share.networks.toReversed(),
          endpoints: share.endpoints.toReversed(),
        };
        expect(digestOf(reversed)).toBe(digestOf(share));
      }),
    );
  });

  it('has no collision among twenty thousand endpoints that differ in an address', () => {
    const digests = new Set<string>();
    for (let index = 0; index < 20_000; index += 1) {
      const address = `10.1.${index >> 8}.${index & 255}/16`;
      const endpoint = {
        id: `endpoint-${index}`,
        networkId: 'n',
        host: 'h',
        name: `ep-${index}`,
        aliases: [],
        addresses: [address],
        mac: '02:42:0a:01:00:02',
      };
      digests.add(digestOf({ hosts: [], networks: [], endpoints: [endpoint] }));
    }
    expect(digests.size).toBe(20_000);
  });

  it('is kept along with deltas as if taken afresh', () => {
    fc.assert(
      fc.property(fc.array(shares, { maxLength: 6 }), (steps) => {
        const kept = new KeptShare();
        for (const next of steps) {
          kept.apply(diff(kept.toShare(), next));
          expect(kept.digest).toBe(digestOf(next));
          expect(sorted(kept.toShare())).toBe(sorted(next));
        }
      }),
    );
  });
});

describe('endpointJson', () => {
  it('is the canonical text of an endpoint, whatever it has', () => {
    const [endpoint] = fc.sample(shares, 50).flatMap(({ endpoints }) => endpoints);
    const more = [
      {},
      { service: 's' },
      { sandbox: { netns: '/run/netns/a' } },
      { sandbox: { netns: '/run/netns/a', interface: 'eth1' }, service: 's' },
      { engine: 'docker' as const },
    ];
    for (const fields of more) {
      const item = { ...endpoint!, ...fields };
      expect(endpointJson(item)).toBe(canonicalJson(item));
    }
  });

  it('is what an endpoint is hashed by, however that is done', () => {
    const [endpoint] = fc.sample(shares, 50).flatMap(({ endpoints }) => endpoints);
    const plain = { ...endpoint!, addresses: ['10.1.0.2/16'], aliases: [], name: 'a' };
    const more = [
      {},
      { service: 's' },
      { sandbox: { netns: '/run/netns/a' } },
      { engine: 'docker' as const },
      { aliases: ['b'] },
      { addresses: [] },
      { addresses: ['10.1.0.2/16', 'fd00::2/64'] },
      { addresses: ['fd00::2/64'] },
      ...['a"b', 'a\\b', 'ä', '\n'].map((name) => ({ name })),
    ];
    for (const fields of more) {
      const item = { ...plain, ...fields };
      expect(hashEndpoint(item)).toEqual(hashText(`endpoint${canonicalJson(item)}`));
    }
  });
});
