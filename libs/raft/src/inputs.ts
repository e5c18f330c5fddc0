// What a driver may tell the core: time, messages, proposals, reads, completions, an operator's
// decisions. It must not know what follows from them.

import type { RaftMessage } from './messages';
import type { Configuration, NodeId, ProposalId, ReadContext, SnapshotHeader } from './types';

export type RaftInput =
  /**
   * The driver's clock moved by one tick. `nowMs` is its monotonic clock, needed for lease reads
   * only.
   */
  | { readonly kind: 'tick'; readonly nowMs?: number }
  /** A peer's message, decoded. Messages may be lost, repeated, reordered and late. */
  | { readonly kind: 'receive'; readonly message: RaftMessage }
  /** Commands to append, in order. Each gets one ProposalOutcome in the same step. */
  | { readonly kind: 'propose'; readonly proposals: readonly Proposal[] }
  /**
   * Asks for an index that a linearizable read may be served at; works on any member. Batch reads
   * under one context.
   */
  | ReadIndexInput
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
  /**
   * Changes members; on the leader. Gets one ProposalOutcome in the same step. In force at once on
   * whoever appends it; done when the entry at the outcome's index and term is applied.
   */
  | {
      readonly kind: 'proposeConfiguration';
      readonly id?: ProposalId;
      readonly change: ConfigurationChange;
    }
  /**
   * An operator's decision after a quorum is lost for good: this member opens a new term with
   * `configuration`, whose `incoming` must name it, and campaigns for it. Entries that only the lost
   * members held are gone. Gets one ProposalOutcome.
   */
  | {
      readonly kind: 'forceConfiguration';
      readonly id?: ProposalId;
      readonly configuration: Configuration;
    }
  /**
   * The driver holds a durable snapshot at `index` or later: entries up to `index` leave memory.
   * Not beyond what `applied` has reported. Repeating it is harmless.
   */
  | { readonly kind: 'compact'; readonly index: number }
  /**
   * An operator's "let them vote now": a follower stops refusing votes for its leader's sake. No
   * effect on others, and none where lease reads are on.
   */
  | { readonly kind: 'forgetLeader' }
  /** The transport can't reach `peer`: a leader sends it one message at a time until it answers. */
  | { readonly kind: 'unreachable'; readonly peer: NodeId }
  | SnapshotInput;

export interface ReadIndexInput {
  readonly kind: 'readIndex';
  readonly context: ReadContext;
  /** Be content with a lease, if it surely holds at `nowMs`; otherwise an ordinary round. */
  readonly lease?: { readonly nowMs: number };
}

/** Answers to SnapshotTasks. */
export type SnapshotInput =
  /**
   * To `read`: bytes at `offset` of the `size` bytes of the snapshot `header`, and their CRC-32.
   */
  | {
      readonly kind: 'snapshotChunk';
      readonly to: NodeId;
      readonly header: SnapshotHeader;
      readonly offset: number;
      readonly size: number;
      readonly data: Uint8Array;
      readonly crc: number;
    }
  /** To `read`: there is nothing to read now; it is asked for again later. */
  | { readonly kind: 'snapshotUnavailable'; readonly to: NodeId }
  /**
   * To `store`: `offset` is the next byte wanted of the snapshot (index, term); 0 starts over, the
   * snapshot's size means that all is there.
   */
  | {
      readonly kind: 'snapshotStored';
      readonly index: number;
      readonly term: number;
      readonly offset: number;
    }
  /** To `install`: durable, and the state machine stands at `index`. */
  | { readonly kind: 'snapshotInstalled'; readonly index: number; readonly term: number }
  /** To `install`: the bytes are damaged; nothing has changed. */
  | { readonly kind: 'snapshotRejected'; readonly index: number; readonly term: number };

export type ConfigurationChange =
  | {
      readonly kind: 'set';
      readonly voters: readonly NodeId[];
      readonly learners: readonly NodeId[];
      /** Refused as `configuration_changed` unless it is RaftStatus.configurationIndex. */
      readonly expectedIndex?: number;
      /**
       * `auto`: one step if at most one voter differs, else joint and left by itself. `implicit`:
       * joint and left by itself. `explicit`: joint until `leave`. Default `auto`.
       */
      readonly mode?: 'auto' | 'implicit' | 'explicit';
    }
  | { readonly kind: 'leave' };

export interface Proposal {
  readonly id?: ProposalId;
  readonly data: Uint8Array;
}
