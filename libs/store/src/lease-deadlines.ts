// The leader's half of leases: when each runs out, by the leader's own monotonic clock, which the caller hands in. Not
// replicated. A new leader gives every lease its full time again, so a lease may live longer than asked, never shorter.

import { type LeaseRecord } from './types';

interface Deadline {
  readonly ttlMs: number;
  at: number;
  /** Its end has been proposed: a renewal now would promise what the log is about to take. */
  ending: boolean;
}

export class LeaseDeadlines {
  private readonly deadlines = new Map<string, Deadline>();

  /** Starts over at the taking of office. */
  restart(leases: readonly LeaseRecord[], nowMs: number): void {
    this.deadlines.clear();
    for (const { lease, ttlMs } of leases) this.granted(lease, ttlMs, nowMs);
  }

  granted(lease: string, ttlMs: number, nowMs: number): void {
    this.deadlines.set(lease, { ttlMs, at: nowMs + ttlMs, ending: false });
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
