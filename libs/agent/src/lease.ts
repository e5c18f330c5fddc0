// The host's lease as its agent knows it: how long the registry surely takes this host for alive. Counted from the moment at
// which the heartbeat was sent that it answers, so that a slow answer, a late or a repeated one makes nothing longer.

/** One moment on both clocks of this machine. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export class HostLease {
  #end: Moment | null = null;

  /** When it ends; the wall clock's time is what a kernel can be told. Null: none was ever granted. */
  get end(): Moment | null {
    return this.#end;
  }

  /** True if the lease now ends later than before. */
  granted(sentAt: Moment, leaseMs: number): boolean {
    const end = {
      monotonicMs: sentAt.monotonicMs + leaseMs,
      wallMs: sentAt.wallMs + leaseMs,
    };
    if (this.#end !== null && end.monotonicMs <= this.#end.monotonicMs) return false;
    this.#end = end;
    return true;
  }

  /** Milliseconds; 0 once it has run out. */
  leftMs(nowMonotonicMs: number): number {
    return this.#end === null ? 0 : Math.max(0, this.#end.monotonicMs - nowMonotonicMs);
  }
}
