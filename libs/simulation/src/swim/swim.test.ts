// Seeded runs of whole clusters: eventual agreement, and what Lifeguard saves.

import { describe, expect, it } from '@jest/globals';
import { measureFalsePositives } from './false-positives';
import { simulateSwim } from './simulate';
import { SwimCluster } from './swim-cluster';
import { swimConfig } from '@skein/swim';

describe('membership of sixteen', () => {
  it.each([1, 2, 3, 4])('agrees after loss, stalls and kills (seed %i)', (seed) => {
    const result = simulateSwim(seed);
    expect(result.violations).toEqual([]);
    expect(result.killed).toHaveLength(2);
    for (const detectionMs of result.detectionMs) expect(detectionMs).toBeLessThan(30_000);
  });

  it('repeats a run from its seed', () => {
    expect(simulateSwim(42)).toEqual(simulateSwim(42));
  });
});

describe('a cluster of three on one machine', () => {
  it('declares a killed member dead everywhere within three seconds', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const cluster = new SwimCluster({ seed, memberCount: 3, config: swimConfig('local') });
      cluster.run(3_000 + cluster.random.int(1_000));
      cluster.kill('m2');
      cluster.run(3_000);
      for (const observer of ['m0', 'm1']) {
        expect(cluster.members(observer).find((m) => m.name === 'm2')?.state).toBe('dead');
      }
    }
  });
});

describe('Lifeguard', () => {
  const stall = {
    seed: 7,
    memberCount: 48,
    stalledCount: 8,
    stallMs: 16_000,
    intervalMs: 64,
    durationMs: 40_000,
  };

  it('declares at most a fiftieth of the false deaths of plain SWIM', () => {
    const swim = measureFalsePositives({ ...stall, configuration: 'SWIM' });
    const lifeguard = measureFalsePositives({ ...stall, configuration: 'Lifeguard' });
    expect(swim.falsePositives).toBeGreaterThan(1_000);
    expect(lifeguard.falsePositives).toBeLessThanOrEqual(swim.falsePositives / 50);
    expect(lifeguard.atHealthy).toBeLessThanOrEqual(swim.atHealthy / 50);
  });
});
