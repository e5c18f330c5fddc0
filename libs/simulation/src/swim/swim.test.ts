// Seeded runs of whole clusters: eventual agreement, and what Lifeguard saves.

import { describe, expect, it } from '@jest/globals';
import { measureDetection } from './detection';
import { measureFalsePositives } from './false-positives';
import type { LifeguardConfiguration } from './lifeguard-configurations';
import { lifeguardRuns, quickScale, runLifeguard } from './lifeguard-paper';
import { lifeguardGoals, lifeguardReport } from './lifeguard-report';
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
  const stall = { seed: 7, memberCount: 48, stalledCount: 12, stallMs: 16_000, intervalMs: 256 };

  it('declares at most a fiftieth of the false deaths of plain SWIM', () => {
    const swim = measureFalsePositives({ ...stall, configuration: 'SWIM' });
    const lifeguard = measureFalsePositives({ ...stall, configuration: 'Lifeguard' });
    expect(swim.falsePositives).toBeGreaterThan(200);
    expect(lifeguard.falsePositives).toBeLessThanOrEqual(swim.falsePositives / 50);
  });

  it('does so at healthy members too, where whoever stalls goes on talking to itself', () => {
    const deaf = { ...stall, stallKind: 'messages' as const, durationMs: 40_000 };
    const swim = measureFalsePositives({ ...deaf, configuration: 'SWIM' });
    const lifeguard = measureFalsePositives({ ...deaf, configuration: 'Lifeguard' });
    expect(swim.atHealthy).toBeGreaterThan(500);
    expect(lifeguard.atHealthy).toBeLessThanOrEqual(swim.atHealthy / 50);
  });

  it('finds those who stall as soon as plain SWIM does', () => {
    const stalled = { seed: 7, memberCount: 48, stalledCount: 8 };
    const swim = measureDetection({ ...stalled, configuration: 'SWIM' });
    const lifeguard = measureDetection({ ...stalled, configuration: 'Lifeguard' });
    expect(Math.max(...swim.allMs)).toBeLessThan(20_000);
    expect(Math.max(...lifeguard.allMs)).toBeLessThanOrEqual(Math.max(...swim.allMs) + 500);
  });
});

describe("Lifeguard's evaluation", () => {
  const scale = {
    ...quickScale,
    memberCount: 16,
    minutes: 1,
    concurrencies: [2],
    stallsMs: [16_384],
  };

  it('gives the same tables again, whoever runs its parts in whatever order', () => {
    const runs = lifeguardRuns(scale, 7);
    const forward = lifeguardReport(runs.map(runLifeguard));
    const backward = lifeguardReport(runs.toReversed().map(runLifeguard));
    expect(backward).toEqual(forward);
    expect(forward.map((row) => row.configuration)).toHaveLength(6);
    expect(forward[0]?.shares).toMatchObject({ messages: 100, bytes: 100 });
  });

  it('asks of Lifeguard what the paper reached, and nothing where plain SWIM erred not once', () => {
    const outcome = (configuration: LifeguardConfiguration, falsePositives: number) => ({
      configuration,
      stalledCount: 1,
      falsePositives,
      atHealthy: 0,
      messages: 1,
      bytes: 1,
      firstMs: [1, null],
      allMs: [2, null],
    });
    const goals = (lifeguard: number, members = 128) =>
      lifeguardGoals(
        lifeguardReport([outcome('SWIM', 1_000), outcome('Lifeguard', lifeguard)]),
        members,
      ).map(({ met }) => met);
    expect(goals(15)).toEqual([true, null]);
    expect(goals(16)).toEqual([false, null]);
    expect(goals(15, 64)).toEqual([null, null]);
    expect(lifeguardReport([outcome('SWIM', 1)])[0]?.firstMs).toEqual({
      median: 1,
      p99: null,
      p999: null,
    });
  });
});
