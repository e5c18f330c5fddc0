// The contract of the Raft core: every input that it takes, every effect that it asks for, and the
// stored formats. The core is synchronous and deterministic. It must not know sockets, files,
// clocks or what a command means.

import type { RaftMessage } from './messages';

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
}

/**
 * Who counts. While `outgoing` is not empty the configuration is joint: both majorities are needed
 * (Raft §6).
 */
export interface Configuration {
  readonly incoming: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
}

/**
 * What stands in for the log's prefix. Its data belongs to the driver; the core needs only this
 * header.
 */
export interface SnapshotHeader {
  /** The last entry that the snapshot covers. */
  readonly index: number;
  readonly term: number;
  readonly configuration: Configuration;
}

/**
 * Everything that survived on disk. `entries` starts right after the snapshot (or at 1) and has no
 * gaps.
 */
export interface RestoredState {
  readonly hardState: HardState;
  readonly snapshot?: SnapshotHeader;
  readonly entries: readonly LogEntry[];
  /** The configuration in force at the end of `entries`. */
  readonly configuration: Configuration;
  /** The last index that the durable state machine has applied; default: the snapshot's index. */
  readonly applied?: number;
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
}

export type RaftInput =
  /** The driver's clock moved by one tick. */
  | { readonly kind: 'tick' }
  /** A peer's message, decoded. Messages may be lost, repeated, reordered and late. */
  | { readonly kind: 'receive'; readonly message: RaftMessage }
  /** Commands to append, in order. Each gets one ProposalOutcome in the same step. */
  | { readonly kind: 'propose'; readonly proposals: readonly Proposal[] }
  /**
   * Asks for an index that a linearizable read may be served at; works on any member. Batch reads
   * under one context.
   */
  | { readonly kind: 'readIndex'; readonly context: ReadContext }
  /**
   * LogWrite `id` and all before it are durable. Repeat the write's own `id`, `lastIndex` and
   * `lastTerm`. When writes are committed as a group, one input for the last of them is enough.
   * Send the `then` envelopes of every completed write, in order, as well.
   */
  | {
      readonly kind: 'appended';
      readonly id: number;
      readonly lastIndex: number;
      readonly lastTerm: number;
    }
  /** The state machine has applied everything up to `index`. */
  | { readonly kind: 'applied'; readonly index: number }
  /** On a leader: hand leadership to `to`, or to the most caught-up voter when null. */
  | { readonly kind: 'transferLeadership'; readonly to: NodeId | null }
  /**
   * A log write is outstanding for too long (about an election timeout): a leader steps down, and
   * no campaign starts until a write completes. Ignored when no write is outstanding. Safe to
   * repeat.
   */
  | { readonly kind: 'diskStalled' }
  /** Changes members. Refused with `unsupported` for now; the formats are final. */
  | {
      readonly kind: 'proposeConfiguration';
      readonly id?: ProposalId;
      readonly configuration: Configuration;
    }
  /**
   * The driver holds a durable snapshot at `index`; the log before may go. Ignored for now; the
   * format is final.
   */
  | { readonly kind: 'compact'; readonly index: number };

export interface Proposal {
  readonly id?: ProposalId;
  readonly data: Uint8Array;
}

/**
 * What the driver must do after a step. Order: hand `append` to the log, send `send`, apply
 * `apply`. The three may run at the same time. The arrays are the driver's to keep; the core never
 * touches them again.
 */
export interface RaftEffects {
  /** At most one write a step; writes take effect strictly in the order of their ids. */
  readonly append: LogWrite | null;
  /** Free to go at once, in any order. May be lost. */
  readonly send: readonly Envelope[];
  /**
   * Committed and locally durable entries, in order, each exactly once a run. Includes `noop` and
   * `configuration`.
   */
  readonly apply: readonly LogEntry[];
  readonly reads: readonly ReadOutcome[];
  readonly proposals: readonly ProposalOutcome[];
  /** The answer to `transferLeadership`, in the same step; null otherwise. */
  readonly transfer: TransferOutcome | null;
  /** What happened: the log line, and the scenarios' expected text. Nothing may depend on it. */
  readonly trace: readonly RaftTrace[];
}

/** One transaction of the log: hard state, truncation and entries together, then fsync. */
export interface LogWrite {
  /** Grows by one a write; never repeats in one run of the core. */
  readonly id: number;
  /** Null when unchanged. */
  readonly hardState: HardState | null;
  /** First drop every stored entry at this index and above; null when nothing is dropped. */
  readonly truncateFrom: number | null;
  /**
   * May be empty. With `hardState` null as well the write is a barrier: it needs no fsync of its
   * own, only its turn.
   */
  readonly entries: readonly LogEntry[];
  /** The log's last index and term after this write; repeat them in the `appended` input. */
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** Send these only after this write, and all before it, are durable. */
  readonly then: readonly Envelope[];
}

/** Two envelopes of one step may share the same message object: encode it once. */
export interface Envelope {
  readonly to: NodeId;
  readonly message: RaftMessage;
}

export type ReadOutcome =
  /**
   * Serve the read once the state machine has applied `index` (compare with your applied index).
   */
  | { readonly context: ReadContext; readonly confirmed: true; readonly index: number }
  /** Ask again, elsewhere or later. The read was not served; retrying is always safe. */
  | {
      readonly context: ReadContext;
      readonly confirmed: false;
      readonly code: 'no_leader' | 'leader_changed';
      readonly leader: NodeId | null;
    };

export type ProposalOutcome =
  /**
   * Appended at (index, term). It is committed when `apply` delivers an entry with this index AND
   * this term; when another term shows up at the index, it is lost for certain. Until then its
   * outcome is unknown.
   */
  | {
      readonly id: ProposalId | undefined;
      readonly accepted: true;
      readonly index: number;
      readonly term: number;
    }
  /** Certainly not appended. */
  | {
      readonly id: ProposalId | undefined;
      readonly accepted: false;
      readonly code: RefusalCode;
      readonly leader: NodeId | null;
    };

/**
 * `transferring`: a leadership transfer runs; `overloaded`: too many uncommitted bytes;
 * `too_large`: over maxEntryBytes.
 */
export type RefusalCode =
  'not_leader' | 'transferring' | 'overloaded' | 'too_large' | 'unsupported';

export type TransferOutcome =
  | { readonly accepted: true; readonly to: NodeId }
  | {
      readonly accepted: false;
      readonly code: 'not_leader' | 'unknown_member' | 'already_leader' | 'no_candidate';
      readonly leader: NodeId | null;
    };

export type RaftRole = 'follower' | 'preCandidate' | 'candidate' | 'leader';

export type ReplicationState = 'probe' | 'replicate';

export interface PeerStatus {
  readonly id: NodeId;
  readonly matchIndex: number;
  readonly nextIndex: number;
  readonly state: ReplicationState;
  /** Heard from since the last quorum check. */
  readonly isActive: boolean;
  readonly inflight: number;
}

export interface RaftStatus {
  readonly id: NodeId;
  readonly role: RaftRole;
  readonly term: number;
  readonly vote: NodeId | null;
  readonly leader: NodeId | null;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** The last entry that is durable on this member. */
  readonly durableIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly configuration: Configuration;
  readonly transferringTo: NodeId | null;
  readonly isDiskStalled: boolean;
  /** On a leader: its peers, sorted by id. Empty elsewhere. */
  readonly peers: readonly PeerStatus[];
}

export type StepDownReason = 'higher_term' | 'quorum_lost' | 'disk_stalled' | 'leader_found';

export type RaftTrace =
  | {
      readonly kind: 'roleChanged';
      readonly role: RaftRole;
      readonly term: number;
      readonly leader: NodeId | null;
      readonly reason?: StepDownReason;
    }
  | { readonly kind: 'campaignStarted'; readonly term: number; readonly isPreVote: boolean }
  | {
      readonly kind: 'voteAnswered';
      readonly candidate: NodeId;
      readonly term: number;
      readonly isPreVote: boolean;
      readonly granted: boolean;
      readonly reason?: 'voted_already' | 'log_behind' | 'old_term';
    }
  | { readonly kind: 'logTruncated'; readonly from: number }
  | { readonly kind: 'commitAdvanced'; readonly index: number }
  | {
      readonly kind: 'peerStateChanged';
      readonly peer: NodeId;
      readonly state: ReplicationState;
      readonly matchIndex: number;
      readonly nextIndex: number;
    }
  | {
      readonly kind: 'appendRejected';
      readonly leader: NodeId;
      readonly prevIndex: number;
      readonly hintIndex: number;
    }
  | { readonly kind: 'transferStarted'; readonly to: NodeId }
  | { readonly kind: 'transferAborted'; readonly to: NodeId }
  | { readonly kind: 'diskStalled' }
  /** A completion that says nothing about the present log: superseded, repeated or unknown. */
  | { readonly kind: 'completionDropped'; readonly id: number }
  | {
      readonly kind: 'messageDropped';
      readonly from: NodeId;
      readonly message: RaftMessage['kind'];
      readonly reason:
        | 'old_term'
        | 'second_leader'
        | 'unknown_peer'
        | 'leader_lives'
        | 'beyond_log'
        | 'unsupported';
    };

export interface Raft {
  /**
   * Synchronous; never throws for a peer's mistake; asserts on a driver's mistake or a broken
   * invariant.
   */
  step(input: RaftInput): RaftEffects;
  status(): RaftStatus;
}
