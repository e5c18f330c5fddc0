// The fast ring's share of the cluster simulation: some seeds, the proof that a seed repeats, and that a run
// brings what it says. `skein simulate cluster` runs as many more as time allows.
import { describe, expect, it } from '@jest/globals';
import { simulateCluster, type ClusterSimulationResult } from './simulate-cluster';

function seeds(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

describe('simulated cluster', () => {
  const results = new Map<number, ClusterSimulationResult>();

  it.each(seeds(24))('keeps every promise under seed %i', (seed) => {
    const result = simulateCluster(seed, { faultMs: 3_000 });
    results.set(seed, result);
    const repeat = `./skein simulate cluster --seed ${seed}`;
    expect({ repeat, violations: result.violations }).toEqual({ repeat, violations: [] });
  });

  it('does the same again for the same seed, and another thing for another', () => {
    const again = simulateCluster(5, { faultMs: 3_000 });
    expect(again).toEqual(results.get(5));
    expect(again.traceHash).not.toBe(results.get(6)?.traceHash);
  });

  it('brings faults of every kind, and serves clients all the same', () => {
    const sum = (pick: (result: ClusterSimulationResult) => number): number =>
      [...results.values()].reduce((total, result) => total + pick(result), 0);
    const missing = Object.keys(results.get(1)?.faultsByKind ?? {}).filter(
      (kind) => sum(({ faultsByKind }) => faultsByKind[kind as 'crash']) === 0,
    );
    expect(missing).toEqual([]);
    expect(sum(({ clients }) => clients.done)).toBeGreaterThan(1_000);
    expect(sum(({ watchedRevisions }) => watchedRevisions)).toBeGreaterThan(100);
    expect(sum(({ configurations }) => configurations)).toBeGreaterThan(5);
    expect(sum(({ snapshotsInstalled }) => snapshotsInstalled)).toBeGreaterThan(0);
    expect(sum(({ recoveries }) => recoveries)).toBeGreaterThan(5);
    expect([...results.values()].some((result) => result.isLinearizabilityUnknown)).toBe(false);
  });
});
