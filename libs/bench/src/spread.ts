// The median of what was measured several times, and between what it lay.

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Undefined is what a round did not measure; null: no round did. */
export function spreadOf(values: readonly (number | undefined)[]): Spread | null {
  const sorted = values
    .filter((value) => value !== undefined)
    .toSorted((one, other) => one - other);
  if (sorted.length === 0) return null;
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  const median = sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
  return { median, least: sorted[0] ?? 0, most: sorted.at(-1) ?? 0 };
}
