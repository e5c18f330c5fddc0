// What the core says about itself: its status for people and metrics, and the facts of each step.
// Nothing may be decided on them.

import type { RaftMessage } from './messages';
import type { Configuration, NodeId } from './types';

export type RaftRole = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** `snapshot`: the entries that the peer lacks are gone; it gets a snapshot instead. */
export type ReplicationState = 'probe' | 'replicate' | 'snapshot';

export interface PeerStatus {
  readonly id: NodeId;
  readonly matchIndex: number;
  readonly nextIndex: number;
  readonly state: ReplicationState;
  /** Heard from within an election timeout. */
  readonly isActive: boolean;
  readonly inflight: number;
  /** In state `snapshot`: the index of the snapshot that is being sent, once that is known. */
  readonly pendingSnapshotIndex?: number;
  /** Its log was damaged; it counts in no quorum. */
  readonly isRecovering?: boolean;
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
  /** Where the configuration in force was appended; it may not be committed yet. */
  readonly configurationIndex: number;
  readonly isRecovering: boolean;
  /** A snapshot takes the place of log and state machine just now. */
  readonly isInstalling: boolean;
  readonly priority: number;
  /** A leader that could answer a lease read at the last tick's time. */
  readonly hasLease: boolean;
  readonly transferringTo: NodeId | null;
  readonly isDiskStalled: boolean;
  /** On a leader: its peers, sorted by id. Empty elsewhere. */
  readonly peers: readonly PeerStatus[];
}

export type StepDownReason =
  'higher_term' | 'quorum_lost' | 'disk_stalled' | 'leader_found' | 'removed' | 'forgotten';

export type DropReason =
  | 'old_term'
  | 'second_leader'
  | 'unknown_peer'
  | 'leader_lives'
  | 'beyond_log'
  | 'unsupported'
  | 'installing'
  /** Said before the peer's log was damaged. */
  | 'recovering'
  /** A snapshot that contradicts what is committed here. */
  | 'snapshot_conflict';

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
      readonly reason?: 'voted_already' | 'log_behind' | 'old_term' | 'recovering';
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
  /** `index` is where the configuration was appended. A truncation restores an earlier one. */
  | {
      readonly kind: 'configurationChanged';
      readonly index: number;
      readonly configuration: Configuration;
    }
  | { readonly kind: 'logCompacted'; readonly index: number }
  | {
      readonly kind: 'snapshotInstalling' | 'snapshotInstalled' | 'snapshotRejected';
      readonly index: number;
      readonly term: number;
    }
  /** A leader has learned that a peer's log was damaged, or that it is whole again. */
  | { readonly kind: 'peerRecovering' | 'peerRecovered'; readonly peer: NodeId }
  /** This member began with nothing, but others know it from before: it has forgotten what it promised. */
  | { readonly kind: 'pastLost' }
  /** This member's log is whole again. */
  | { readonly kind: 'recoveryEnded' }
  /** A completion that says nothing about the present log: superseded, repeated or unknown. */
  | { readonly kind: 'completionDropped'; readonly id: number }
  | {
      readonly kind: 'messageDropped';
      readonly from: NodeId;
      readonly message: RaftMessage['kind'];
      readonly reason: DropReason;
    };
