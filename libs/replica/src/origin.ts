// Whether a replica that finds its directory empty belongs to a new cluster or has lost what it held: what the voters say of
// themselves, and what follows. It must not know how they are asked.

import type { NodeId, RaftStatus } from '@skein/raft';

/** What a voter says of itself. `fresh`: it holds nothing and has voted for nobody. */
export type Origin = 'fresh' | 'begun';

/** How long all voters are waited for before a majority of fresh ones may begin without the others. */
export const originPatienceMs = 2_000;

export function originOf({
  term,
  lastIndex,
  isRecovering,
}: Pick<RaftStatus, 'term' | 'lastIndex' | 'isRecovering'>): Origin {
  return term === 0 && lastIndex === 0 && !isRecovering ? 'fresh' : 'begun';
}

export interface OriginsHeard {
  /** The replica with the empty directory. */
  readonly id: NodeId;
  readonly voters: readonly NodeId[];
  /** Of each, what it said last. */
  readonly heard: ReadonlyMap<NodeId, Origin>;
  readonly waitedMs: number;
}

/**
 * `begin` as a member of a new cluster, `recover` as one whose promises are forgotten, or `wait` for more answers. Invariant:
 * nobody begins who has heard that the cluster has begun.
 */
export function startAfter({
  id,
  voters,
  heard,
  waitedMs,
}: OriginsHeard): 'begin' | 'recover' | 'wait' {
  if ([...heard.values()].includes('begun')) return 'recover';
  const all = new Set([id, ...voters]);
  const fresh = [...all].filter((voter) => voter === id || heard.has(voter)).length;
  if (fresh === all.size) return 'begin';
  return fresh > all.size / 2 && waitedMs >= originPatienceMs ? 'begin' : 'wait';
}
