// What a replica is set to: names, paces, limits. Chosen once, at its start.

import type { NodeId, RaftConfig, RestoredState } from '@skein/raft';
import { newestProtocol, type Store } from '@skein/store';
import type { ReplicaPorts } from './types';
import { snapshotDefaults, type SnapshotPolicy } from './snapshots';

export interface ReplicaSettings extends SnapshotPolicy {
  readonly id: NodeId;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** Readiness to lead, 0 to 100; 0 never campaigns by itself. */
  readonly priority: number;
  /** How long a leader may answer lease reads after a round; undefined: no lease reads. */
  readonly leaseMs: number | undefined;
  /** A log write that takes longer makes a leader step down, in milliseconds. */
  readonly diskStallMs: number;
  /** Revisions whose events and old values are kept at least; compaction starts at the double. */
  readonly historyRevisions: number;
  /** History older than this goes as well; 0: age does not matter. */
  readonly historyMs: number;
  /** Every learner is made a voter once it has caught up. */
  readonly promotesLearners: boolean;
  /** The newest protocol version that this program understands. */
  readonly protocolMax: number;
  /** Of the program, for people. */
  readonly version: string;
  /** Flow control of the core, where its defaults do not fit. */
  readonly limits?: RaftLimits;
}

export type RaftLimits = Pick<
  RaftConfig,
  | 'maxMessageBytes'
  | 'maxInflightMessages'
  | 'maxInflightBytes'
  | 'maxUncommittedBytes'
  | 'maxApplyingEntries'
  | 'maxPromotionLag'
>;

export const replicaDefaults = {
  ...snapshotDefaults,
  electionTicks: 10,
  heartbeatTicks: 2,
  priority: 50,
  leaseMs: undefined,
  diskStallMs: 500,
  historyRevisions: 20_000,
  historyMs: 0,
  promotesLearners: false,
  protocolMax: newestProtocol,
  version: '0.1.0',
} as const satisfies Omit<ReplicaSettings, 'id' | 'random'>;

export function raftConfigOf(settings: ReplicaSettings): RaftConfig {
  const { id, random, electionTicks, heartbeatTicks, priority, leaseMs } = settings;
  const config = { ...settings.limits, id, random, electionTicks, heartbeatTicks, priority };
  return leaseMs === undefined ? config : { ...config, leaseMs };
}

/** How a replica starts: what its disk remembers, and the state machine as of the snapshot in it (or an empty one). */
export interface ReplicaStart {
  readonly settings: ReplicaSettings;
  readonly restored: RestoredState;
  readonly store: Store;
  readonly ports: ReplicaPorts;
}

export interface ReadOptions {
  /** For `bounded`; default 0. */
  readonly maxStalenessMs?: number | undefined;
}

/** Invariant: a replica applies nothing that the cluster has agreed to understand and it does not. Throws if it would. */
export function demandProtocol(store: Store, { protocolMax }: ReplicaSettings): void {
  const { protocolVersion } = store.status;
  if (protocolVersion <= protocolMax) return;
  throw new Error(
    `the cluster speaks protocol ${protocolVersion}, this replica ${protocolMax} at most`,
  );
}
