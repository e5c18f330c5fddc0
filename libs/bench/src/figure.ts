// What a measurement yields, what is asked of it, and how rounds become one figure: median and spread of each, and the ratio to the
// peer of the same run.

import { ofMedians, type RatioOf } from './ratio';
import { spreadOf, type Spread } from './spread';

/** One measured number of one round, by name of its measure. */
export type Sample = Readonly<Record<string, number>>;

/** What is asked: of the ratio to the peer, or of the median. */
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

export interface FigureRow {
  readonly figure: string;
  readonly title: string;
  readonly measure: string;
  readonly unit: Measure['unit'];
  readonly skein: Spread | null;
  readonly peer: Spread | null;
  /** Skein's over the peer's. */
  readonly ratio: number | null;
  /** The ratio's standard error; null: unknown, as where it is one of medians. */
  readonly ratioError: number | null;
  readonly goal: string | null;
  /** Null: there is no goal, or nothing to compare with. */
  readonly met: boolean | null;
}

export function rowsOf(
  head: { readonly figure: string; readonly title: string },
  measures: readonly Measure[],
  samples: { readonly skein: readonly Sample[]; readonly peer: readonly Sample[] },
  ratioOf: RatioOf = ofMedians,
): FigureRow[] {
  return measures.map(({ name, unit, goal }) => {
    const ours = samples.skein.map((sample) => sample[name]);
    const theirs = samples.peer.map((sample) => sample[name]);
    const [skein, peer] = [spreadOf(ours), spreadOf(theirs)];
    const { ratio = null, error: ratioError = null } = ratioOf(ours, theirs) ?? {};
    return {
      ...head,
      measure: name,
      unit,
      skein,
      peer,
      ratio,
      ratioError,
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
