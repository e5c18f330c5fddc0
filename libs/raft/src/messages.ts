// What replicas say to each other. Messages may be lost, repeated, reordered and late; none is
// trusted beyond its term. The wire format is in codec; the addressee is on the envelope, so that
// one message serves several peers.
import type { LogEntry, NodeId, SnapshotHeader } from './types';

interface MessageHead {
  readonly from: NodeId;
  /** The sender's term; in a pre-vote the term that it would campaign in. */
  readonly term: number;
}

/** Rides on the answers of a member whose log was damaged. */
interface RecoveryMark {
  /** A number drawn for this recovery; absent when the sender is whole. */
  readonly recovery?: number;
  /** With `recovery`: the sender may have forgotten a vote. */
  readonly isVoteLost?: boolean;
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

export interface AppendResponse extends MessageHead, RecoveryMark {
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
  /** Ends the recovery of this number: the member holds everything that it may have acknowledged. */
  readonly endsRecovery?: number;
}

export interface HeartbeatResponse extends MessageHead, RecoveryMark {
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

/** A piece of a snapshot (Raft §7), sent one at a time. */
export interface InstallSnapshot extends MessageHead {
  readonly kind: 'installSnapshot';
  readonly snapshot: SnapshotHeader;
  /** Where `data` belongs, and how many bytes the whole snapshot has. */
  readonly offset: number;
  readonly size: number;
  readonly data: Uint8Array;
  /** CRC-32 of `data`; the receiver's disk checks it. */
  readonly crc: number;
}

export interface InstallSnapshotResponse extends MessageHead, RecoveryMark {
  readonly kind: 'installSnapshotResponse';
  /** The snapshot's. */
  readonly index: number;
  /** The next offset wanted. */
  readonly offset: number;
  /** False: what was sent is damaged; the transfer starts over. */
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
