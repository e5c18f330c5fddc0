// So many callers, each asking again as soon as it is answered, for so long; what they did and how long each call took.

import { createHistogram } from 'node:perf_hooks';

export interface LoopOptions {
  readonly callers: number;
  /** Calls of this first time are not counted. */
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** `call` counts up over all callers. */
  readonly operation: (call: number) => Promise<void>;
}

/** Times in microseconds. */
export interface LoopResult {
  readonly ratePerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  readonly failures: number;
}

export async function closedLoop(options: LoopOptions): Promise<LoopResult> {
  const { callers, warmUpMs, durationMs, operation } = options;
  const histogram = createHistogram();
  const countFrom = performance.now() + warmUpMs;
  const end = countFrom + durationMs;
  let calls = 0;
  let failures = 0;
  const caller = async (): Promise<void> => {
    for (;;) {
      const startedAt = performance.now();
      if (startedAt >= end) return;
      const failed = await operation((calls += 1)).then(
        () => false,
        () => true,
      );
      const endedAt = performance.now();
      if (failed) failures += 1;
      else if (endedAt >= countFrom && endedAt < end) {
        histogram.record(Math.max(1, Math.round((endedAt - startedAt) * 1_000)));
      }
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return {
    ratePerSecond: (histogram.count * 1_000) / durationMs,
    p50Us: histogram.percentile(50),
    p99Us: histogram.percentile(99),
    maxUs: histogram.max,
    failures,
  };
}
