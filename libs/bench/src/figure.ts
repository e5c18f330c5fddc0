// What a measurement yields, what is asked of it, and how rounds become one figure: median and spread of each, and the ratio of
// medians to the peer of the same run.

/** One measured number of one round, by name of its measure. */
export type Sample = Readonly<Record<string, number>>;

/** What is asked: of the ratio to the peer's median, or of the median itself. */
export type Goal =
  | { readonly of: 'ratio'; readonly atLeast: number }
  | { readonly of: 'ratio'; readonly atMost: number }
  | { readonly of: 'value'; readonly atMost: number }
  | { readonly of: 'value'; readonly atLeast: number };

export interface Measure {
  readonly name: string;
  readonly unit:
    'per second' | 'Gbit/s' | 'ms' | 'µs' | 'ms per Gbit' | 's' | 'MiB' | '%' | 'count';
  readonly goal?: Goal;
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface FigureRow {
  readonly figure: string;
  readonly title: string;
  readonly measure: string;
  readonly unit: Measure['unit'];
  readonly skein: Spread | null;
  readonly peer: Spread | null;
  /** Skein's median over the peer's. */
  readonly ratio: number | null;
  readonly goal: string | null;
  /** Null: there is no goal, or nothing to compare with. */
  readonly met: boolean | null;
}

export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  const median = sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
  return { median, least: sorted[0] ?? 0, most: sorted.at(-1) ?? 0 };
}

export function rowsOf(
  head: { readonly figure: string; readonly title: string },
  measures: readonly Measure[],
  samples: { readonly skein: readonly Sample[]; readonly peer: readonly Sample[] },
): FigureRow[] {
  return measures.map(({ name, unit, goal }) => {
    const valuesOf = (each: readonly Sample[]): number[] =>
      each.flatMap((sample) => (sample[name] === undefined ? [] : [sample[name]]));
    const skein = spreadOf(valuesOf(samples.skein));
    const peer = spreadOf(valuesOf(samples.peer));
    const ratio =
      skein === null || peer === null || peer.median === 0 ? null : skein.median / peer.median;
    return {
      ...head,
      measure: name,
      unit,
      skein,
      peer,
      ratio,
      goal: goal === undefined ? null : goalText(goal, unit),
      met: goal === undefined ? null : judge(goal, skein?.median ?? null, ratio),
    };
  });
}

function judge(goal: Goal, value: number | null, ratio: number | null): boolean | null {
  const judged = goal.of === 'ratio' ? ratio : value;
  if (judged === null) return null;
  return 'atLeast' in goal ? judged >= goal.atLeast : judged <= goal.atMost;
}

function goalText(goal: Goal, unit: string): string {
  const [sign, bound] = 'atLeast' in goal ? ['≥', goal.atLeast] : ['≤', goal.atMost];
  return goal.of === 'ratio' ? `${sign} ${bound}×` : `${sign} ${bound} ${unit}`;
}
