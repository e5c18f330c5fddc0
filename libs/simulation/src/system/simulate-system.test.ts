// The fast ring's share of the simulation of the whole system: some seeds, the proof that a seed repeats, and that a run brings
// what it says. `skein simulate system` runs as many more as time allows.

import { describe, expect, it } from '@jest/globals';
import type { SystemSimulationResult } from './result';
import { simulateSystem } from './simulate-system';

const faultMs = 12_000;
const seeds = [1, 2, 3, 4, 5, 6, 7];
/** For a machine that has much else to do. */
const patienceMs = 120_000;

describe('the simulated system', () => {
  const results = new Map<number, SystemSimulationResult>();

  it.each(seeds)(
    'keeps every promise under seed %i',
    async (seed) => {
      const result = await simulateSystem(seed, { faultMs });
      results.set(seed, result);
      const repeat = `./skein simulate system --seed ${seed}`;
      expect({ repeat, violations: result.violations }).toEqual({ repeat, violations: [] });
    },
    patienceMs,
  );

  it('begins though the answer to its very first read is lost', async () => {
    const { violations } = await simulateSystem(725_247_266);
    expect(violations).toEqual([]);
  }, 60_000);

  it(
    'does the same again for the same seed, and another thing for another',
    async () => {
      const again = await simulateSystem(3, { faultMs });
      expect(again).toEqual(results.get(3));
      expect(again.traceHash).not.toBe(results.get(4)?.traceHash);
    },
    patienceMs,
  );

  it('is used and suffers', () => {
    const sum = (pick: (result: SystemSimulationResult) => number): number =>
      [...results.values()].reduce((total, result) => total + pick(result), 0);
    expect(sum(({ faults }) => faults)).toBeGreaterThan(20);
    expect(sum(({ containers }) => containers.attached)).toBeGreaterThan(100);
    expect(sum(({ containers }) => containers.detached)).toBeGreaterThan(50);
    expect(sum(({ pairs }) => pairs)).toBeGreaterThan(500);
  });
});
