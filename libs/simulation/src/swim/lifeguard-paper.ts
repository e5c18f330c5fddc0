// Lifeguard's evaluation as a list of runs and the sum of their results, beside what the paper published (arXiv 1707.00788,
// its tables). A run stands alone, so that processes can share the list; the same plan gives the same sum.

import { measureDetection } from './detection';
import { measureFalsePositives } from './false-positives';
import { lifeguardConfigurations, type LifeguardConfiguration } from './lifeguard-configurations';

export interface LifeguardScale {
  readonly memberCount: number;
  readonly seeds: number;
  /** Simulated time of each run of the interval experiment. */
  readonly minutes: number;
  readonly concurrencies: readonly number[];
  readonly stallsMs: readonly number[];
  readonly intervalsMs: readonly number[];
  /** Runs of the threshold experiment for each concurrency and seed. */
  readonly detections: number;
}

/** Concurrencies are the paper's; stalls and intervals span its ranges (128 ms to 32.8 s, 1 ms to 16 s) where deaths occur. */
export const fullScale: LifeguardScale = {
  memberCount: 128,
  seeds: 1,
  minutes: 2,
  concurrencies: [1, 4, 8, 12, 16, 20, 24, 28, 32],
  stallsMs: [2_048, 16_384, 32_768],
  intervalsMs: [1, 16, 256, 4_096],
  detections: 4,
};

/** The corner of the grid that shows most, at two concurrencies. */
export const quickScale: LifeguardScale = {
  ...fullScale,
  concurrencies: [4, 32],
  stallsMs: [16_384, 32_768],
  intervalsMs: [256],
  detections: 1,
};

interface Setting {
  readonly configuration: LifeguardConfiguration;
  readonly memberCount: number;
  readonly stalledCount: number;
  readonly seed: number;
}

export type LifeguardRun =
  | (Setting & {
      readonly kind: 'interval';
      readonly stallMs: number;
      readonly intervalMs: number;
      readonly durationMs: number;
    })
  | (Setting & { readonly kind: 'detection' });

/** What a run yields, as JSON can carry it: times are null where nobody, or not everybody, declared in time. */
export interface LifeguardOutcome {
  readonly configuration: LifeguardConfiguration;
  readonly stalledCount: number;
  readonly falsePositives: number;
  readonly atHealthy: number;
  readonly messages: number;
  readonly bytes: number;
  readonly firstMs: readonly (number | null)[];
  readonly allMs: readonly (number | null)[];
}

/** Costly runs first, so that processes that share the list end together. */
export function lifeguardRuns(scale: LifeguardScale, firstSeed: number): LifeguardRun[] {
  const { memberCount, concurrencies, stallsMs, intervalsMs } = scale;
  const runs: LifeguardRun[] = [];
  for (const stalledCount of concurrencies.toSorted((one, other) => other - one)) {
    for (let round = 0; round < scale.seeds; round += 1) {
      for (const configuration of lifeguardConfigurations) {
        const setting = { configuration, memberCount, stalledCount };
        const seed = firstSeed + round;
        for (const stallMs of stallsMs) {
          for (const intervalMs of intervalsMs) {
            const durationMs = scale.minutes * 60_000;
            runs.push({ ...setting, kind: 'interval', seed, stallMs, intervalMs, durationMs });
          }
        }
        for (let again = 0; again < scale.detections; again += 1) {
          const drawn = firstSeed + round * scale.detections + again;
          runs.push({ ...setting, kind: 'detection', seed: drawn });
        }
      }
    }
  }
  return runs;
}

export function runLifeguard(run: LifeguardRun): LifeguardOutcome {
  const { configuration, stalledCount } = run;
  const nothing = { falsePositives: 0, atHealthy: 0, messages: 0, bytes: 0 };
  if (run.kind === 'detection') {
    const { firstMs, allMs } = measureDetection(run);
    const told = (times: readonly number[]): (number | null)[] =>
      times.map((time) => (time === Infinity ? null : time));
    return {
      configuration,
      stalledCount,
      ...nothing,
      firstMs: told(firstMs),
      allMs: told(allMs),
    };
  }
  const { falsePositives, atHealthy, messages, bytes } = measureFalsePositives(run);
  const counts = { falsePositives, atHealthy, messages, bytes };
  return { configuration, stalledCount, ...counts, firstMs: [], allMs: [] };
}
