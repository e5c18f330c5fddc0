// How Skein compares with its peer in one run: as a ratio of medians, or, where single measurements vary more than the two differ,
// from pairs that were measured one right after the other.

import { spreadOf } from './spread';

export interface Ratio {
  readonly ratio: number;
  /** Its standard error; null: unknown. */
  readonly error: number | null;
}

/** Values of both, round by round; undefined: the round has none. */
export type RatioOf = (
  skein: readonly (number | undefined)[],
  peer: readonly (number | undefined)[],
) => Ratio | null;

export const ofMedians: RatioOf = (skein, peer) => {
  const [ours, theirs] = [spreadOf(skein), spreadOf(peer)];
  if (ours === null || theirs === null || theirs.median === 0) return null;
  return { ratio: ours.median / theirs.median, error: null };
};

/** The geometric mean of the ratios of each round; null if one of them has none, as beside a peer's 0. */
export const ofPairs: RatioOf = (skein, peer) => {
  const logs = skein.flatMap((ours, round) => {
    const theirs = peer[round];
    return ours === undefined || theirs === undefined ? [] : [Math.log(ours / theirs)];
  });
  if (logs.length === 0 || !logs.every(Number.isFinite)) return null;
  const mean = logs.reduce((sum, each) => sum + each, 0) / logs.length;
  const ratio = Math.exp(mean);
  if (logs.length === 1) return { ratio, error: null };
  const squares = logs.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  return { ratio, error: ratio * Math.sqrt(squares / (logs.length - 1) / logs.length) };
};
