// A leader's lease: until when no other leader can have been elected, counted from the moment at
// which an answered round was sent, never from its answer (bug 20). It must not know what is read
// under it, nor who counts.

interface SentRound {
  /** Rounds from this one on were sent at `sentMs` or later. */
  readonly first: number;
  readonly sentMs: number;
}

export class LeaderLease {
  private sent: SentRound[] = [];
  private isForfeited = false;

  constructor(private readonly leaseMs: number | undefined) {}

  get isPossible(): boolean {
    return this.leaseMs !== undefined && !this.isForfeited;
  }

  /**
   * Someone was told to campaign, and may do so at any later moment, in spite of everything that
   * others have promised: there is no lease any more in this term.
   */
  forfeit(): void {
    this.isForfeited = true;
  }

  noteRound(first: number, sentMs: number): void {
    if (this.leaseMs === undefined) return;
    this.sent.push({ first, sentMs });
    const oldest = sentMs - this.leaseMs;
    while (this.sent.length > 1 && (this.sent[0] as SentRound).sentMs < oldest) this.sent.shift();
  }

  /** The earliest moment at which `round` can have been sent; -Infinity when that is too long ago. */
  sentAt(round: number): number {
    for (let i = this.sent.length - 1; i >= 0; i -= 1) {
      const { first, sentMs } = this.sent[i] as SentRound;
      if (first <= round) return sentMs;
    }
    return -Infinity;
  }

  /** `ackedMs`: the send time of the newest round that a quorum has answered. */
  holds(ackedMs: number, nowMs: number): boolean {
    return this.leaseMs !== undefined && this.isPossible && nowMs < ackedMs + this.leaseMs;
  }
}
