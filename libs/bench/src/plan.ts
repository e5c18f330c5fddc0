// What is to be measured, how often and for how long. The quick plan shows that everything runs; its figures mean little.

export const groups = ['puts', 'gets', 'transactions', 'watches', 'failover', 'keys'] as const;
export type Group = (typeof groups)[number];

export interface BenchPlan {
  readonly only: readonly Group[];
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Events delivered in one measurement of watches, over all watchers. */
  readonly deliveries: number;
  readonly kills: number;
  readonly keys: number;
}

export interface PlanOptions {
  readonly quick: boolean;
  readonly only?: readonly Group[] | undefined;
  readonly rounds?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly kills?: number | undefined;
  readonly keys?: number | undefined;
}

export function planOf(options: PlanOptions): BenchPlan {
  const { quick } = options;
  return {
    only: options.only ?? groups,
    rounds: options.rounds ?? (quick ? 1 : 5),
    warmUpMs: quick ? 300 : 1_000,
    durationMs: options.durationMs ?? (quick ? 1_000 : 3_000),
    deliveries: quick ? 5_000 : 40_000,
    kills: options.kills ?? (quick ? 3 : 20),
    keys: options.keys ?? (quick ? 20_000 : 1_000_000),
  };
}
