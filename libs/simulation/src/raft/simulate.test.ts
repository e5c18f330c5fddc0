// The fast ring's share of the Raft simulation: some seeds, the proof that a seed repeats, and
// planted faults that the checkers must find. `skein simulate raft` runs as many more as time
// allows.
import { describe, expect, it } from '@jest/globals';
import { plantedFaults } from './options';
import { simulateRaft } from './simulate';

function seeds(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

describe('simulated raft cluster', () => {
  it.each(seeds(20))('keeps every promise under seed %i', (seed) => {
    const { violations } = simulateRaft(seed);
    const repeat = `./skein simulate raft --seed ${seed}`;
    expect({ repeat, violations }).toEqual({ repeat, violations: [] });
  });

  it('does the same again for the same seed, and another thing for another', () => {
    const first = simulateRaft(7);
    expect(simulateRaft(7)).toEqual(first);
    expect(simulateRaft(8).traceHash).not.toBe(first.traceHash);
  });

  it('brings faults, and serves clients all the same', () => {
    const results = seeds(10).map((seed) => simulateRaft(seed));
    const sum = (pick: (at: number) => number): number =>
      results.reduce((total, _result, at) => total + pick(at), 0);
    expect(sum((at) => results[at]?.faults ?? 0)).toBeGreaterThan(50);
    expect(sum((at) => results[at]?.clients.done ?? 0)).toBeGreaterThan(500);
    expect(results.every((result) => !result.isLinearizabilityUnknown)).toBe(true);
  });

  it.each(plantedFaults)('finds the planted fault %s', (planted) => {
    const found = seeds(60).some((seed) => simulateRaft(seed, { planted }).violations.length > 0);
    expect(found).toBe(true);
  });
});
