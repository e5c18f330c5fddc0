// Figures of Skein and its peer with those of the limits beside them: what would be there without an overlay at all.

import { rowsOf, type FigureRow, type Measure, type Sample } from './figure';
import type { RatioOf } from './ratio';
import { spreadOf, type Spread } from './spread';

export interface LimitRow extends FigureRow {
  /** What is neither Skein's nor the peer's, by name. */
  readonly others: Readonly<Record<string, Spread | null>>;
}

/** `samples` by name: `skein`, the peer's, and those of the limits. */
export function limitRows(
  head: { readonly figure: string; readonly title: string },
  measures: readonly Measure[],
  samples: Readonly<Record<string, readonly Sample[]>>,
  peerName: string,
  ratioOf?: RatioOf,
): LimitRow[] {
  const { skein = [], [peerName]: peer = [], ...others } = samples;
  return rowsOf(head, measures, { skein, peer }, ratioOf).map((row) => ({
    ...row,
    others: Object.fromEntries(
      Object.entries(others).map(([name, each]) => [name, spreadIn(each, row.measure)]),
    ),
  }));
}

export function spreadIn(samples: readonly Sample[], measure: string): Spread | null {
  return spreadOf(samples.map((sample) => sample[measure]));
}
