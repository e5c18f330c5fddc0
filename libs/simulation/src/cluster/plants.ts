// Rules that the simulated edges can be told to break, to show that the checkers see it: each stands
// for a mistake that a driver, a disk or a clock could make. It must not know how it is found.
import type { ClusterConditions, ClusterFaultKind } from './options';

export const plantedClusterFaults = [
  /** A sync reports success before anything is durable. */
  'disk-lies',
  /** A restart finds its term without its vote. */
  'forgets-votes',
  /** Linearizable reads are answered from local state. */
  'stale-reads',
  /** The lease is measured by a clock that jumps back. */
  'lease-clock-jumps',
  /** A replica whose log was damaged starts as if nothing were missing. */
  'recovering-ignored',
  /** Damaged snapshot chunks are used all the same. */
  'snapshot-crc-ignored',
  /** Acknowledgements that wait for the disk are sent at once. */
  'acks-before-sync',
  /** A repeated request is given a new number at each try. */
  'retries-renumbered',
  /** A watch that lost a message goes on as if it had not. */
  'watch-skips-gaps',
  /** A replica that lost its disk comes back under its old name as if it were new. */
  'lost-disk-returns',
] as const;

export type PlantedClusterFault = (typeof plantedClusterFaults)[number];

/** The conditions under which a planted fault can show: drawn ones may never bring it about. */
export function forcePlant(
  conditions: ClusterConditions,
  planted: PlantedClusterFault,
): ClusterConditions {
  const withFaults = (...kinds: ClusterFaultKind[]): ClusterConditions => ({
    ...conditions,
    faultKinds: [...kinds, ...kinds, ...conditions.faultKinds],
    meanFaultGapMs: Math.min(conditions.meanFaultGapMs, 100),
  });
  switch (planted) {
    case 'disk-lies':
    case 'forgets-votes':
    case 'acks-before-sync':
      return withFaults('powerCut', 'crash');
    case 'stale-reads':
    case 'retries-renumbered':
      return withFaults('isolation', 'split');
    case 'lease-clock-jumps':
      return withFaults('clockJump', 'isolation');
    case 'recovering-ignored':
      return withFaults('bitFlip', 'tornWrite');
    case 'snapshot-crc-ignored':
      return { ...withFaults('bitFlip'), snapshotEntries: 10, trailingEntries: 2 };
    case 'watch-skips-gaps':
      return { ...conditions, watchers: 3, clientLoss: 0.1 };
    case 'lost-disk-returns':
      return withFaults('diskLost', 'isolation');
  }
}
