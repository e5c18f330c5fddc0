// What one seeded run of a whole cluster may suffer: each seed draws its own conditions (swarm
// testing), so that some runs lose messages, some damage disks, some change members all the time and
// some are calm. It must not know how the faults are done.
import type { DiskConditions } from '../disk';
import type { NetworkConditions } from '../network';
import type { RaftLimits } from '@skein/replica';
import type { Random } from '../random';
import type { PlantedClusterFault } from './plants';

export interface ClusterSimulationOptions {
  /** Simulated time with faults, before all faults stop. Default: drawn, 4 to 12 s. */
  readonly faultMs?: number;
  readonly planted?: PlantedClusterFault;
  /** Called with one line for each thing that happens; for people who look into one seed. */
  readonly onTrace?: (line: string) => void;
}

export const clusterFaultKinds = [
  'crash',
  'powerCut',
  'tornWrite',
  'bitFlip',
  'diskLost',
  'diskFull',
  'syncFailure',
  'diskStall',
  'slowDisk',
  'pause',
  'clockJump',
  'oneWayCut',
  'isolation',
  'split',
  'clog',
  'transfer',
  'memberChange',
  'backup',
] as const;
export type ClusterFaultKind = (typeof clusterFaultKinds)[number];

export interface ClusterConditions {
  /** Voters at the start. */
  readonly members: number;
  readonly faultMs: number;
  readonly tickMs: number;
  readonly electionTicks: number;
  readonly leaseMs: number;
  readonly network: NetworkConditions;
  readonly disk: DiskConditions;
  readonly faultKinds: readonly ClusterFaultKind[];
  readonly meanFaultGapMs: number;
  readonly meanFaultMs: number;
  /** How far a replica's clock may run from true time, as a share. */
  readonly clockDrift: number;
  readonly clients: number;
  readonly watchers: number;
  readonly keys: number;
  readonly readShare: number;
  readonly meanThinkMs: number;
  readonly maxStalenessMs: number;
  readonly clientLoss: number;
  readonly quotaBytes: number;
  readonly historyRevisions: number;
  /** Some replicas know only the first protocol version for a while. */
  readonly isMixedVersions: boolean;
  readonly snapshotEntries: number;
  readonly trailingEntries: number;
  readonly snapshotChunkBytes: number;
  readonly limits: RaftLimits;
}

export function drawClusterConditions(
  random: Random,
  options: ClusterSimulationOptions,
): ClusterConditions {
  const tickMs = 10;
  const electionTicks = 10;
  const chosen = clusterFaultKinds.filter(() => random.chance(0.5));
  return {
    members: random.pick([1, 2, 3, 3, 3, 3, 3, 4, 5, 5]),
    faultMs: options.faultMs ?? random.pick([4_000, 6_000, 8_000, 12_000]),
    tickMs,
    electionTicks,
    leaseMs: electionTicks * tickMs * 0.9,
    network: {
      loss: random.chance(0.5) ? random.next() * 0.25 : 0,
      duplication: random.chance(0.5) ? random.next() * 0.25 : 0,
      minDelayMs: 0.2,
      maxDelayMs: random.pick([1, 3, 10, 30, 60]),
      straggler: random.chance(0.4) ? random.next() * 0.1 : 0,
      isOrdered: random.chance(0.5),
    },
    disk: { minSyncMs: 0.2, maxSyncMs: random.pick([1, 2, 5, 40]) },
    faultKinds: chosen.length === 0 ? ['crash'] : chosen,
    meanFaultGapMs: random.pick([40, 100, 250, 600]),
    meanFaultMs: random.pick([20, 60, 200, 600]),
    clockDrift: random.pick([0, 0, 0.02, 0.045]),
    clients: random.between(2, 6),
    watchers: random.between(0, 3),
    keys: random.between(1, 5),
    readShare: random.pick([0.2, 0.5, 0.8]),
    meanThinkMs: random.pick([8, 25, 70]),
    maxStalenessMs: random.pick([100, 300, 1_000]),
    clientLoss: random.chance(0.4) ? random.next() * 0.2 : 0,
    quotaBytes: random.chance(0.2) ? random.between(2_000, 20_000) : 0,
    historyRevisions: random.pick([5, 40, 1_000]),
    isMixedVersions: random.chance(0.3),
    snapshotEntries: random.pick([3, 10, 40, 100_000]),
    trailingEntries: random.pick([0, 2, 10, 50]),
    snapshotChunkBytes: random.pick([64, 1_000, 65_536]),
    limits: {
      maxInflightMessages: random.pick([1, 2, 8, 64]),
      maxMessageBytes: random.pick([150, 600, 262_144]),
      maxApplyingEntries: random.pick([1, 4, 8_192]),
      maxPromotionLag: random.pick([5, 1_000]),
    },
  };
}

/** A spell's length or a gap: never zero, sometimes long. */
export function drawSpell(random: Random, meanMs: number): number {
  return 1 - Math.log(1 - random.next()) * meanMs;
}
