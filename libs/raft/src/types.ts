// The contract of the Raft core: names, stored formats, limits, and the one door. Inputs, effects
// and facts are in files of their own. The core is synchronous and deterministic. It must not know
// sockets, files, clocks or what a command means.

import type { RaftEffects } from './effects';
import type { RaftStatus } from './facts';
import type { RaftInput } from './inputs';

export type * from './effects';
export type * from './facts';
export type * from './inputs';

/** A stable name of a replica, unique in the cluster, 1 to 255 bytes of UTF-8. */
export type NodeId = string;

/**
 * Chosen by the driver; comes back unchanged. A safe non-negative integer, unique while it is
 * pending.
 */
export type ReadContext = number;

/** Chosen by the driver; comes back unchanged in `ProposalOutcome`. */
export type ProposalId = number;

export type EntryKind = 'noop' | 'command' | 'configuration';

/**
 * One entry of the log. Immutable: the core, the log writer and the applier share the same object.
 */
export interface LogEntry {
  /** 1-based, without gaps. */
  readonly index: number;
  readonly term: number;
  /**
   * `noop` opens each leader's term; `configuration` holds an encoded Configuration; `command` is
   * the driver's.
   */
  readonly kind: EntryKind;
  /** Empty for `noop`. Never mutate it after proposing. */
  readonly data: Uint8Array;
}

/**
 * What must be on disk before anything that depends on it is said. `commit` may lag: it rides on
 * other writes.
 */
export interface HardState {
  readonly term: number;
  readonly vote: NodeId | null;
  readonly commit: number;
  /**
   * The log was damaged and has lost entries that this member may have acknowledged: it neither
   * votes nor counts until a leader has made sure that it holds everything again.
   */
  readonly isRecovering?: boolean;
  /** With `isRecovering`: term and vote are lost as well, so a vote may have been forgotten. */
  readonly isVoteLost?: boolean;
}

/**
 * Who counts. While `outgoing` is not empty the configuration is joint: both majorities are needed
 * (Raft §6).
 * In force from the moment that its entry is appended, on every member.
 */
export interface Configuration {
  readonly incoming: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** Voters of `outgoing` that become learners when the joint configuration is left. */
  readonly learnersNext?: readonly NodeId[];
  /** The leader leaves the joint configuration by itself once it is committed. */
  readonly autoLeave?: boolean;
}

/**
 * What stands in for the log's prefix. Its data belongs to the driver; the core needs only this
 * header.
 */
export interface SnapshotHeader {
  /** The last entry that the snapshot covers. */
  readonly index: number;
  readonly term: number;
  /** In force at `index`. */
  readonly configuration: Configuration;
  /** Where that configuration was appended; default: `index`. */
  readonly configurationIndex?: number;
}

/**
 * Everything that survived on disk. `entries` starts right after the snapshot (or at 1) and has no
 * gaps.
 */
export interface RestoredState {
  readonly hardState: HardState;
  readonly snapshot?: SnapshotHeader;
  readonly entries: readonly LogEntry[];
  /**
   * In force before `entries`, if there is no snapshot: the cluster's first one. Configurations
   * among `entries` are found by the core, which must be able to go back to this one.
   */
  readonly configuration: Configuration;
  /** Where `configuration` was appended; default 0. */
  readonly configurationIndex?: number;
  /** The last index that the durable state machine has applied; default: the snapshot's index. */
  readonly applied?: number;
  /**
   * Nothing was on the disk. If others speak to this member as to one that has been here before, then its disk was replaced, and
   * it counts as damaged. Default false: what is empty is taken for what this member has always had.
   */
  readonly isNew?: boolean;
}

export interface RaftConfig {
  readonly id: NodeId;
  /**
   * A number in [0, 1); the only source of chance. Draws happen in a fixed order, so a seeded port
   * repeats a run.
   */
  readonly random: () => number;
  /**
   * Ticks without a leader before a campaign; the real timeout is drawn from [electionTicks,
   * 2·electionTicks). Default 10.
   */
  readonly electionTicks?: number;
  /** Ticks between heartbeats; less than electionTicks. Default 1. */
  readonly heartbeatTicks?: number;
  /**
   * Bytes of entries in one append message (a larger single entry travels alone). Default 256 KiB.
   */
  readonly maxMessageBytes?: number;
  /** Unacknowledged append messages to one follower. Default 64. */
  readonly maxInflightMessages?: number;
  /** Unacknowledged bytes of entries to one follower. Default 8 MiB. */
  readonly maxInflightBytes?: number;
  /**
   * A leader refuses proposals while more than this is appended but not committed. Default 32 MiB.
   */
  readonly maxUncommittedBytes?: number;
  /** The largest single proposal. Default 768 KiB, below the payload limit of the transport. */
  readonly maxEntryBytes?: number;
  /** Entries handed out in `apply` and not yet reported by `applied`. Default 8192. */
  readonly maxApplyingEntries?: number;
  /**
   * 0 to 100, default 50. A higher one campaigns earlier; 0 campaigns only when told to. Nothing
   * but the moment of a campaign depends on it.
   */
  readonly priority?: number;
  /**
   * How long a leader may answer reads alone after the send time of a round that a quorum has
   * answered, in the milliseconds of `nowMs`; below electionTicks by the drift of the members'
   * clocks (10 % is customary). Every member must have one, or none. Default: no lease reads.
   */
  readonly leaseMs?: number;
  /** Entries that a learner may lack when it is promoted. Default 1000. */
  readonly maxPromotionLag?: number;
}

export interface Raft {
  /**
   * Synchronous; never throws for a peer's mistake; asserts on a driver's mistake or a broken
   * invariant.
   */
  step(input: RaftInput): RaftEffects;
  status(): RaftStatus;
  /**
   * What a snapshot of the state machine at `index` is called. Null unless the log still knows that
   * index and it has been handed out in `apply`.
   */
  snapshotHeader(index: number): SnapshotHeader | null;
}
