// The leader's half of leases: when each runs out, by the leader's own monotonic clock, which the caller hands in. Not
// replicated. A new leader gives every lease its full time again, or what an earlier leader wrote down of it, so a lease may live
// longer than asked, never shorter. A note of a long lease's time left (a checkpoint) must be taken back, through the log, before
// a renewal is answered.

import { type LeaseCheckpoint, type LeaseRecord } from './types';

interface Deadline {
  readonly ttlMs: number;
  at: number;
  /** The time left that the log says, or will; absent: the full time. */
  noted: number | undefined;
  /** The note is on its way through the log: what is applied before it does not take it back. */
  isNoting: boolean;
  /** Its end has been proposed: a renewal now would promise what the log is about to take. */
  ending: boolean;
}

export class LeaseDeadlines {
  private readonly deadlines = new Map<string, Deadline>();

  /** Starts over at the taking of office. */
  restart(
    leases: readonly Pick<LeaseRecord, 'lease' | 'ttlMs' | 'remainingMs'>[],
    nowMs: number,
  ): void {
    this.deadlines.clear();
    for (const { lease, ttlMs, remainingMs: noted } of leases) {
      this.deadlines.set(lease, {
        ttlMs,
        at: nowMs + (noted ?? ttlMs),
        noted,
        isNoting: false,
        ending: false,
      });
    }
  }

  granted(lease: string, ttlMs: number, nowMs: number): void {
    const at = nowMs + ttlMs;
    this.deadlines.set(lease, { ttlMs, at, noted: undefined, isNoting: false, ending: false });
  }

  /** A `checkpointLease` was applied. */
  checkpointed(checkpoints: readonly LeaseCheckpoint[]): void {
    for (const { lease, remainingMs } of checkpoints) {
      const deadline = this.deadlines.get(lease);
      if (deadline === undefined) continue;
      if (remainingMs < deadline.ttlMs) {
        deadline.noted = remainingMs;
        deadline.isNoting = false;
      } else if (!deadline.isNoting) {
        deadline.noted = undefined;
      }
    }
  }

  /** What `dueCheckpoints` gave was not taken by the log. */
  notingFailed(checkpoints: readonly LeaseCheckpoint[]): void {
    for (const { lease } of checkpoints) {
      const deadline = this.deadlines.get(lease);
      if (deadline !== undefined) deadline.isNoting = false;
    }
  }

  /**
   * What to write down, by `checkpointLease`, so that the next leader does not give long leases their full time again: leases that
   * have gone on for `everyMs` without renewal since what is noted of them. At most `limit`. They count as noted from now on.
   */
  dueCheckpoints(nowMs: number, everyMs: number, limit: number): LeaseCheckpoint[] {
    const due: LeaseCheckpoint[] = [];
    for (const [lease, deadline] of this.deadlines) {
      if (due.length >= limit) break;
      const { ttlMs, at, noted, ending } = deadline;
      const remainingMs = Math.max(0, Math.round(at - nowMs));
      if (ending || (noted ?? ttlMs) - remainingMs < everyMs) continue;
      due.push({ lease, remainingMs });
      deadline.noted = remainingMs;
      deadline.isNoting = true;
    }
    return due;
  }

  /**
   * Whether a renewal must wait for `checkpointLease` with the full time: until that is committed, a next leader would end the
   * lease by the note.
   */
  isNoted(lease: string): boolean {
    return this.deadlines.get(lease)?.noted !== undefined;
  }

  ended(lease: string): void {
    this.deadlines.delete(lease);
  }

  /** Renews from `nowMs`, which must lie before the leader's right to renew was confirmed. Absent: no such lease. */
  renew(lease: string, nowMs: number): number | undefined {
    const deadline = this.deadlines.get(lease);
    if (deadline === undefined || deadline.ending) return undefined;
    deadline.at = Math.max(deadline.at, nowMs + deadline.ttlMs);
    return deadline.ttlMs;
  }

  /** Leases that ran out and whose end was not yet proposed; marks them as ending. */
  takeExpired(nowMs: number): string[] {
    const expired: string[] = [];
    for (const [lease, deadline] of this.deadlines) {
      if (deadline.ending || deadline.at > nowMs) continue;
      deadline.ending = true;
      expired.push(lease);
    }
    return expired;
  }

  /** The proposal to end it came to nothing: it may be tried again. */
  endingFailed(lease: string): void {
    const deadline = this.deadlines.get(lease);
    if (deadline !== undefined) deadline.ending = false;
  }

  remainingMs(lease: string, nowMs: number): number {
    return Math.max(0, (this.deadlines.get(lease)?.at ?? nowMs) - nowMs);
  }
}
