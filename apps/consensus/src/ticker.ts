// The replica's clock: ticks at an even pace on the monotonic clock. Deadlines follow each other and never the moment, so that
// lateness neither adds up nor brings the replicas' timers into step. After a stall only a few of the missed ticks are made up
// for, one a turn of the event loop: what the others said meanwhile still waits to be read, and must be heard first.

/** Missed ticks that are made up for after a stall. */
export const maxCatchUpTicks = 4;

export interface TickerClock {
  nowMs(): number;
  /** Calls back after `ms`, in a turn of its own; the answer withdraws it. */
  after(ms: number, call: () => void): () => void;
}

export const monotonicClock: TickerClock = {
  nowMs: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

export class Ticker {
  private withdraw: (() => void) | undefined;
  private dueAt = 0;

  constructor(
    private readonly intervalMs: number,
    private readonly onTick: (nowMs: number) => void,
    private readonly clock: TickerClock = monotonicClock,
  ) {}

  start(): void {
    this.dueAt = this.clock.nowMs();
    this.schedule();
  }

  stop(): void {
    this.withdraw?.();
    this.withdraw = undefined;
  }

  private schedule(): void {
    const now = this.clock.nowMs();
    this.dueAt += this.intervalMs;
    const missed = Math.floor((now - this.dueAt) / this.intervalMs);
    // Whole intervals are left out, so that the pace keeps its phase.
    if (missed > maxCatchUpTicks) this.dueAt += (missed - maxCatchUpTicks) * this.intervalMs;
    this.withdraw = this.clock.after(Math.max(0, this.dueAt - now), () => {
      this.schedule();
      this.onTick(this.clock.nowMs());
    });
  }
}
