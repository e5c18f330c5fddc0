// What replicas say to each other. Messages may be lost, repeated, reordered and late; none is
// trusted beyond its term. The wire format is in codec; the addressee is on the envelope, so that
// one message serves several peers.
import type { LogEntry, NodeId, SnapshotHeader } from './types';

interface MessageHead {
  readonly from: NodeId;
  /** The sender's term; in a pre-vote the term that it would campaign in. */
  readonly term: number;
}

export interface VoteRequest extends MessageHead {
  readonly kind: 'preVote' | 'vote';
  readonly lastIndex: number;
  readonly lastTerm: number;
  /**
   * The campaign was ordered by the leader: the live-leader refusal does not apply (thesis §3.10).
   */
  readonly transfer: boolean;
}

export interface VoteResponse extends MessageHead {
  readonly kind: 'preVoteResponse' | 'voteResponse';
  readonly granted: boolean;
}

export interface AppendRequest extends MessageHead {
  readonly kind: 'append';
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly commit: number;
  readonly entries: readonly LogEntry[];
}

export interface AppendResponse extends MessageHead {
  readonly kind: 'appendResponse';
  readonly accepted: boolean;
  /**
   * Accepted: the follower's log matches the leader's, durably, up to here. Rejected: the prevIndex
   * that failed.
   */
  readonly index: number;
  /** Rejected only, else 0: the last index that may match, and its term there. */
  readonly hintIndex: number;
  readonly hintTerm: number;
}

export interface Heartbeat extends MessageHead {
  readonly kind: 'heartbeat';
  /** Never beyond what this follower is known to match. */
  readonly commit: number;
  /**
   * The leader's round number; a response repeats it and so confirms all reads of this round and
   * earlier ones.
   */
  readonly round: number;
}

export interface HeartbeatResponse extends MessageHead {
  readonly kind: 'heartbeatResponse';
  readonly round: number;
}

/** A follower asks the leader for a read index; `batch` is unique over restarts of the follower. */
export interface ReadIndexRequest extends MessageHead {
  readonly kind: 'readIndex';
  readonly batch: number;
}

export interface ReadIndexResponse extends MessageHead {
  readonly kind: 'readIndexResponse';
  readonly batch: number;
  /** Meaningless when not confirmed. */
  readonly index: number;
  readonly confirmed: boolean;
}

/** The leader orders its chosen successor to campaign now. */
export interface TimeoutNow extends MessageHead {
  readonly kind: 'timeoutNow';
}

/**
 * A piece of a snapshot (Raft §7). Foreseen: encoded and decoded, not yet sent; a receiver ignores
 * it.
 */
export interface InstallSnapshot extends MessageHead {
  readonly kind: 'installSnapshot';
  readonly snapshot: SnapshotHeader;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly done: boolean;
}

export interface InstallSnapshotResponse extends MessageHead {
  readonly kind: 'installSnapshotResponse';
  readonly index: number;
  /** The next offset wanted. */
  readonly offset: number;
  readonly accepted: boolean;
}

export type RaftMessage =
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | Heartbeat
  | HeartbeatResponse
  | ReadIndexRequest
  | ReadIndexResponse
  | TimeoutNow
  | InstallSnapshot
  | InstallSnapshotResponse;
