// So many callers, each asking again as soon as it is answered, for so long; what they did and how long each call took.

import { createHistogram } from 'node:perf_hooks';
import { SkeinError } from '@skein/contracts';

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
  /** How often each kind of failure was met, by its code. */
  readonly faults: ReadonlyMap<string, number>;
}

export async function closedLoop(options: LoopOptions): Promise<LoopResult> {
  const { callers, warmUpMs, durationMs, operation } = options;
  const histogram = createHistogram();
  const countFrom = performance.now() + warmUpMs;
  const end = countFrom + durationMs;
  let calls = 0;
  const faults = new Map<string, number>();
  const caller = async (): Promise<void> => {
    for (;;) {
      const startedAt = performance.now();
      if (startedAt >= end) return;
      const fault = await operation((calls += 1)).then(() => undefined, codeOf);
      const endedAt = performance.now();
      if (fault !== undefined) faults.set(fault, (faults.get(fault) ?? 0) + 1);
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
    failures: [...faults.values()].reduce((sum, times) => sum + times, 0),
    faults,
  };
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof SkeinError) return thrown.code;
  return thrown instanceof Error ? thrown.message : String(thrown);
}
