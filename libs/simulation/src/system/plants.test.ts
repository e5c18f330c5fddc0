// Planted faults must be found: those that seldom show, and so say that the weather and the checkers are sharp enough.

import { describe, expect, it } from '@jest/globals';
import type { PlantedSystemFault } from './plants';
import { simulateSystem } from './simulate-system';

const maxSeeds = 30;
/** For a machine that has much else to do. */
const patienceMs = 300_000;

async function findsWithin(planted: PlantedSystemFault): Promise<string | undefined> {
  for (let seed = 1; seed <= maxSeeds; seed += 1) {
    const { violations } = await simulateSystem(seed, { planted });
    if (violations[0] !== undefined) return violations[0].rule;
  }
  return undefined;
}

describe('planted faults of the whole system', () => {
  it.each(['ipam-not-fenced', 'registry-not-fenced'] as const)(
    'shows %s',
    async (planted) => expect(await findsWithin(planted)).toBe('P2'),
    patienceMs,
  );
});
