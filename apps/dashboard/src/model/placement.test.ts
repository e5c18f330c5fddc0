import { describe, expect, it } from '@jest/globals';
import { place, tunnelsOf } from './placement';
import { worldOf, type World } from './world';

type Attached = readonly [id: string, host: string, networkId: string];

function worldWith(hosts: number, endpoints: readonly Attached[]): World {
  return worldOf({
    revision: 1,
    hosts: Array.from({ length: hosts }, (_, index) => ({
      id: `h${index + 1}`,
      name: `h${index + 1}`,
      state: 'up' as const,
    })),
    networks: [
      { id: 'n1', name: 'web' },
      { id: 'n2', name: 'db' },
    ],
    endpoints: endpoints.map(([id, host, networkId]) => ({
      id,
      host,
      networkId,
      name: id,
      addresses: [],
    })),
  });
}

const onFirst = (...ids: string[]) => ids.map((id): Attached => [id, 'h1', 'n1']);

describe('placement', () => {
  it('leaves everyone in place when somebody goes, and fills the gap with who comes next', () => {
    const before = place(worldWith(2, onFirst('a', 'b', 'c')));
    const after = place(worldWith(2, onFirst('b', 'c', 'd')), before);
    expect(after.endpoints.get('b')).toEqual(before.endpoints.get('b'));
    expect(after.endpoints.get('c')).toEqual(before.endpoints.get('c'));
    expect(after.endpoints.get('d')).toEqual(before.endpoints.get('a'));
  });

  it.each([1, 2, 3, 8, 9, 50])(
    'keeps the boxes of %d hosts apart, with 1,000 endpoints',
    (count) => {
      const all = Array.from({ length: 1_000 }, (_, index): Attached => [
        `e${index}`,
        `h${(index % count) + 1}`,
        'n1',
      ]);
      const { hosts, endpoints, box } = place(worldWith(count, all));
      const centers = [...hosts.values()];
      for (const [index, a] of centers.entries())
        for (const b of centers.slice(index + 1)) {
          expect(Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y))).toBeGreaterThan(box);
        }
      expect(new Set([...endpoints.values()].map(({ x, y }) => `${x} ${y}`)).size).toBe(1_000);
    },
  );

  it('stands every endpoint inside the box of its host', () => {
    const all = Array.from({ length: 40 }, (_, index): Attached => [`e${index}`, 'h2', 'n1']);
    const { hosts, endpoints, box } = place(worldWith(3, all));
    const center = hosts.get('h2')!;
    for (const { x, y } of endpoints.values()) {
      expect(Math.abs(x - center.x)).toBeLessThan(box / 2);
      expect(Math.abs(y - center.y)).toBeLessThan(box / 2);
    }
  });
});

describe('tunnels', () => {
  it('join hosts that share a network, once each', () => {
    const tunnels = tunnelsOf(
      worldWith(3, [
        ['a', 'h1', 'n1'],
        ['b', 'h2', 'n1'],
        ['c', 'h2', 'n1'],
        ['d', 'h2', 'n2'],
        ['e', 'h3', 'n2'],
      ]),
    );
    expect(tunnels.map(({ id }) => id)).toEqual(['n1 h1 h2', 'n2 h2 h3']);
  });
});
