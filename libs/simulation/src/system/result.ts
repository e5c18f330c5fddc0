// What is told of one run of the whole system.

import type { SystemFaultKind } from './options';
import type { SystemViolation } from './violations';

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
