// What is told of one run of the whole system.

import type { Authority } from './checkers/authority';
import type { KnownWay } from './checkers/known-way';
import type { CommittedHistory } from './committed';
import type { Faults } from './faults';
import type { Hub } from './hub';
import type { SystemFaultKind } from './options';
import type { SystemViolation } from './violations';
import type { Workloads } from './workloads';

export interface SystemSimulationResult {
  readonly seed: number;
  /** Events that were run. */
  readonly steps: number;
  readonly simulatedMs: number;
  readonly faults: number;
  readonly faultsByKind: Readonly<
    Record<SystemFaultKind | 'messageLost' | 'messageRepeated', number>
  >;
  readonly containers: Readonly<Record<'attached' | 'detached' | 'refused' | 'unknown', number>>;
  /** Attaches that were answered, and those of them that named somebody as behind. */
  readonly answers: { readonly all: number; readonly behind: number };
  /** Pairs of containers that were looked at. */
  readonly pairs: number;
  readonly revisions: number;
  readonly repairs: Readonly<Record<string, number>>;
  /** From the end of all faults until everything was as it should be. */
  readonly convergedMs: number;
  readonly violations: readonly SystemViolation[];
  readonly traceHash: string;
}

/** What a run has come to. */
export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  readonly simulatedMs: number;
  readonly hub: Hub;
  readonly faults: Faults;
  readonly workloads: Workloads;
  readonly knownWay: KnownWay;
  readonly committed: CommittedHistory;
  readonly authority: Authority;
  readonly pairs: number;
  readonly convergedMs: number;
  readonly violations: readonly SystemViolation[];
  readonly traceHash: string;
}

export function resultOf(outcome: Outcome): SystemSimulationResult {
  const { seed, steps, hub, faults, workloads, knownWay, committed, authority } = outcome;
  const { pairs, violations, traceHash } = outcome;
  return {
    seed,
    steps,
    simulatedMs: Math.round(outcome.simulatedMs),
    faults: faults.total,
    faultsByKind: {
      ...faults.counts,
      messageLost: hub.network.lost,
      messageRepeated: hub.network.repeated,
    },
    containers: workloads.counts,
    answers: { all: knownWay.answered, behind: knownWay.behind },
    pairs,
    revisions: committed.revision,
    repairs: authority.repairs,
    convergedMs: Math.round(outcome.convergedMs),
    violations,
    traceHash,
  };
}
