// A replica's own clocks: a monotonic one that runs a little fast or slow, and a wall clock that jumps
// besides. It must not know who reads them.
import type { EventQueue } from '../event-queue';

/** The wall clock's reading at the start of every run. */
const EPOCH_MS = 1_700_000_000_000;

export class ReplicaClock {
  private jumpedMs = 0;

  constructor(
    private readonly queue: EventQueue,
    /** How fast it runs; 1 is true time. */
    readonly rate: number,
    /** A monotonic clock starts anywhere. */
    private readonly originMs: number,
  ) {}

  get monotonicMs(): number {
    return this.originMs + this.queue.nowMs * this.rate;
  }

  get wallMs(): number {
    return Math.round(EPOCH_MS + this.queue.nowMs * this.rate + this.jumpedMs);
  }

  jump(byMs: number): void {
    this.jumpedMs += byMs;
  }
}
