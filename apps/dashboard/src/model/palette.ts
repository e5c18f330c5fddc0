// Which colour a network has: by its place among all networks, the oldest first, so that a new one changes nobody else's.

import type { Network } from './world';

const colors = 10;

/** Names of the theme's colours by network id. */
export function networkColors(networks: Iterable<Network>): ReadonlyMap<string, string> {
  const oldestFirst = [...networks].sort(
    (a, b) => (a.created?.at ?? Infinity) - (b.created?.at ?? Infinity) || (a.id < b.id ? -1 : 1),
  );
  return new Map(oldestFirst.map(({ id }, index) => [id, `net-${index % colors}`]));
}
