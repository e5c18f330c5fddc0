// What a run reports: what was done to the cluster, what clients got, what the data plane lost, and each proof with its evidence.

import type { ClassCount, PairClass } from './loss';

export interface Proof {
  readonly name: string;
  readonly held: boolean;
  /** What it was judged by, in a sentence. */
  readonly evidence: string;
  /** The first few that speak against it. */
  readonly against: readonly string[];
}

export interface ChaosReport {
  readonly passed: boolean;
  readonly seed: number;
  readonly seconds: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, number>>;
  /** The longest time in which attaches could have succeeded and none did: since the faults began, and what clients were told. */
  readonly silence: {
    readonly fromMs: number;
    readonly ms: number;
    readonly told: Readonly<Record<string, number>>;
  };
  readonly pings: Readonly<Partial<Record<PairClass, ClassCount>>>;
  readonly proofs: readonly Proof[];
}

const shown = 8;

export function proof(name: string, evidence: string, against: readonly string[]): Proof {
  const held = against.length === 0;
  const more = against.length > shown ? [`… and ${against.length - shown} more`] : [];
  return { name, held, evidence, against: [...against.slice(0, shown), ...more] };
}

export const sortedCounts = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
