// Reads that wait for proof of leadership (Raft §6.4): on the leader in numbered heartbeat rounds,
// on a follower in batches forwarded to the leader. It must not know heartbeats, quorums or
// messages.
import type { Outbox } from './outbox';
import type { NodeId, ReadContext } from './types';

/** A read of this member (context), or a batch that `from` forwarded. */
export interface PendingRead {
  readonly from: NodeId | null;
  /** The driver's context, or the follower's batch number. */
  readonly token: number;
}

interface Round {
  readonly number: number;
  readonly index: number;
  readonly reads: readonly PendingRead[];
}

export class LeaderReads {
  /**
   * The number of the newest heartbeat round; numbers start again with each leadership, whose term
   * tells them apart.
   */
  round = 0;
  private queued: PendingRead[] = [];
  private rounds: Round[] = [];

  queue(read: PendingRead): void {
    // A follower repeats its forward until it is answered; one answer is enough.
    if (read.from !== null && this.isKnown(read)) return;
    this.queued.push(read);
  }

  private isKnown(read: PendingRead): boolean {
    const isSame = (other: PendingRead): boolean =>
      other.from === read.from && other.token === read.token;
    return this.queued.some(isSame);
  }

  get hasQueued(): boolean {
    return this.queued.length > 0;
  }

  get hasRound(): boolean {
    return this.rounds.length > 0;
  }

  /** Puts all queued reads in a new round that will confirm `index`. */
  startRound(index: number): void {
    this.round += 1;
    this.rounds.push({ number: this.round, index, reads: this.queued });
    this.queued = [];
  }

  /** A round that confirms no reads, but the leader itself: for leases and recoveries. */
  startEmptyRound(): void {
    this.round += 1;
  }

  /**
   * Takes the rounds that `acked` proves. A round proves only reads that were queued before it
   * started.
   */
  takeConfirmed(acked: number): readonly Round[] {
    let count = 0;
    while (count < this.rounds.length && (this.rounds[count] as Round).number <= acked) count += 1;
    return count === 0 ? [] : this.rounds.splice(0, count);
  }

  /**
   * Local reads are refused; forwarded ones are not answered: their follower notices the new leader
   * itself.
   */
  rejectAll(out: Outbox, leader: NodeId | null): void {
    const reads = [...this.rounds.flatMap((round) => round.reads), ...this.queued];
    for (const { from, token } of reads) {
      if (from === null) {
        out.read({ context: token, confirmed: false, code: 'leader_changed', leader });
      }
    }
  }
}

/**
 * Batch numbers hold a draw of this run, so that an answer to an earlier run of this member
 * confirms nothing.
 */
const BATCHES_PER_RUN = 2 ** 22;
const RUNS = 2 ** 30;

export class FollowerReads {
  private nextBatch: number;
  private queued: ReadContext[] = [];
  private sent: ReadContext[] = [];
  /** The batch that waits for the leader's answer; null when none does. */
  batch: number | null = null;

  /** `draw` is in [0, 1). */
  constructor(draw: number) {
    this.nextBatch = Math.floor(draw * RUNS) * BATCHES_PER_RUN;
  }

  queue(context: ReadContext): void {
    this.queued.push(context);
  }

  /** Makes a batch of what is queued. False when a batch is on its way or nothing is queued. */
  startBatch(): boolean {
    if (this.batch !== null || this.queued.length === 0) return false;
    this.batch = this.nextBatch;
    this.nextBatch += 1;
    this.sent = this.queued;
    this.queued = [];
    return true;
  }

  /** The contexts of `batch`, or null when the answer is of no pending batch. */
  take(batch: number): readonly ReadContext[] | null {
    if (batch !== this.batch) return null;
    const contexts = this.sent;
    this.batch = null;
    this.sent = [];
    return contexts;
  }

  rejectAll(out: Outbox, leader: NodeId | null): void {
    if (this.batch === null && this.queued.length === 0) return;
    for (const context of [...this.sent, ...this.queued]) {
      out.read({ context, confirmed: false, code: 'leader_changed', leader });
    }
    this.batch = null;
    this.sent = [];
    this.queued = [];
  }
}
