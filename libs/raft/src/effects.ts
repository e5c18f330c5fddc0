// What the core asks of its driver after a step, and what it answers. It must not know how any of it
// is done.

import type { RaftTrace } from './facts';
import type { RaftMessage } from './messages';
import type { HardState, LogEntry, NodeId, ProposalId, ReadContext, SnapshotHeader } from './types';

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
  /** Start them after `append` has been handed to the log; each is answered by an input. */
  readonly snapshots: readonly SnapshotTask[];
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
 * `too_large`: over maxEntryBytes. Of configurations: `change_in_progress`: the last change is not
 * committed or not left; `configuration_changed`: not the expected one; `term_not_opened`: the leader
 * has not yet committed in its term; `invalid_configuration`: no voter, a name twice, a leave that
 * leaves nothing; `learner_behind`: a learner is too far from the log's end to vote; `recovering`: a
 * member whose log is being repaired can't be made a voter.
 */
export type RefusalCode =
  | 'not_leader'
  | 'transferring'
  | 'overloaded'
  | 'too_large'
  | 'change_in_progress'
  | 'configuration_changed'
  | 'term_not_opened'
  | 'invalid_configuration'
  | 'learner_behind'
  | 'recovering';

export type TransferOutcome =
  | { readonly accepted: true; readonly to: NodeId }
  | {
      readonly accepted: false;
      readonly code: 'not_leader' | 'unknown_member' | 'already_leader' | 'no_candidate';
      readonly leader: NodeId | null;
    };

export type SnapshotTask =
  /**
   * Read up to `maxBytes` for `to`: from the snapshot that `resume` names, at its offset, if it is
   * still held; else from offset 0 of the newest. Answer: `snapshotChunk` or `snapshotUnavailable`.
   */
  | {
      readonly kind: 'read';
      readonly to: NodeId;
      readonly resume: SnapshotPlace | null;
      readonly maxBytes: number;
    }
  /**
   * Keep these bytes, checked against `crc` (CRC-32), beside what is there of the same snapshot; an
   * earlier, unfinished one may go. All is there when `offset + data.length === size`. Answer:
   * `snapshotStored`.
   */
  | {
      readonly kind: 'store';
      readonly from: NodeId;
      readonly term: number;
      readonly header: SnapshotHeader;
      readonly offset: number;
      readonly size: number;
      readonly data: Uint8Array;
      readonly crc: number;
    }
  /**
   * All bytes are there: verify the whole; make it durable together with the log's cut, which drops
   * every entry, or with `keepSuffix` those up to the header's index; replace the state machine, and
   * forget entries that `apply` handed out earlier. Answer: `snapshotInstalled` or
   * `snapshotRejected`. Nothing is applied meanwhile.
   */
  | { readonly kind: 'install'; readonly header: SnapshotHeader; readonly keepSuffix: boolean };

/** A snapshot, and a place in its bytes. */
export interface SnapshotPlace {
  readonly index: number;
  readonly term: number;
  readonly offset: number;
}
