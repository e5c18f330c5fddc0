// A seeded disk with group commit: writes wait, a sync makes all that wait durable in order, and a
// crash keeps only a prefix. It may stall, and may be told to lie. It must not know what is
// written.
import type { EventQueue } from './event-queue';
import type { Random } from './random';

/** How long a lying disk keeps a reported write in memory only. */
const LIE_MS = 100;

export interface DiskConditions {
  readonly minSyncMs: number;
  readonly maxSyncMs: number;
}

export const calmDisk: DiskConditions = { minSyncMs: 1, maxSyncMs: 1 };

export interface DiskPorts<W> {
  /** The write is durable: fold it into what a restart will find. */
  readonly persist: (write: W) => void;
  /** These writes completed, in order; told once a sync. */
  readonly completed: (writes: readonly W[]) => void;
  /** Power went while this write was on its way to the platter: some of it is there. */
  readonly tear?: (write: W) => void;
  /** A sync failed: nothing is known of what it carried, and nothing more will be written. */
  readonly failed?: () => void;
}

export class SimulatedDisk<W> {
  private waiting: W[] = [];
  private syncing: W[] = [];
  private stalledUntilMs = 0;
  /** Counts crashes, so that a sync of an earlier life completes nothing. */
  private life = 0;
  private syncStartedMs = 0;
  /** No space: every sync fails. */
  isFull = false;
  private failsNext = false;

  constructor(
    private readonly queue: EventQueue,
    private readonly random: Random,
    public conditions: DiskConditions,
    private readonly ports: DiskPorts<W>,
    /** A disk that lies reports writes as durable that a crash still takes away. */
    private readonly lies: boolean,
  ) {}

  write(write: W): void {
    this.waiting.push(write);
    if (this.lies) this.pretend(write);
    else if (this.syncing.length === 0) this.startSync();
  }

  stall(forMs: number): void {
    this.stalledUntilMs = Math.max(this.stalledUntilMs, this.queue.nowMs + forMs);
  }

  recover(): void {
    this.stalledUntilMs = 0;
    this.isFull = false;
    this.failsNext = false;
  }

  /** The next sync fails. */
  failNext(): void {
    this.failsNext = true;
  }

  /** Some write is not yet durable: the worst moment for a crash. */
  get isBusy(): boolean {
    return this.syncing.length > 0 || this.waiting.length > 0;
  }

  /** How long the oldest write has been waiting for its sync; 0 when none is. */
  get waitedMs(): number {
    return this.syncing.length === 0 ? 0 : this.queue.nowMs - this.syncStartedMs;
  }

  /** Power goes: of what is not yet reported, some prefix has reached the platter. */
  crash(isTorn = false): void {
    const pending = [...this.syncing, ...this.waiting];
    const kept = this.lies ? 0 : this.random.int(pending.length + 1);
    for (const write of pending.slice(0, kept)) this.ports.persist(write);
    const torn = pending[kept];
    if (isTorn && torn !== undefined) this.ports.tear?.(torn);
    this.waiting = [];
    this.syncing = [];
    this.stalledUntilMs = 0;
    this.failsNext = false;
    this.life += 1;
  }

  private startSync(): void {
    this.syncing = this.waiting;
    this.waiting = [];
    this.syncStartedMs = this.queue.nowMs;
    const { life } = this;
    const { minSyncMs, maxSyncMs } = this.conditions;
    this.queue.after(minSyncMs + this.random.next() * (maxSyncMs - minSyncMs), () => {
      this.finishSync(life);
    });
  }

  private finishSync(life: number): void {
    if (life !== this.life) return;
    const leftMs = this.stalledUntilMs - this.queue.nowMs;
    if (leftMs > 0) {
      // Looks again soon, so that a recovery is noticed.
      this.queue.after(Math.min(leftMs, 5), () => this.finishSync(life));
      return;
    }
    if (this.isFull || this.failsNext) {
      this.ports.failed?.();
      return;
    }
    const writes = this.syncing;
    for (const write of writes) this.ports.persist(write);
    this.syncing = [];
    if (this.waiting.length > 0) this.startSync();
    this.ports.completed(writes);
  }

  /** The lie: completion at once, durability much later. */
  private pretend(write: W): void {
    const { life } = this;
    this.queue.after(1, () => {
      if (life === this.life) this.ports.completed([write]);
    });
    this.queue.after(LIE_MS, () => {
      if (life !== this.life) return;
      this.waiting.shift();
      this.ports.persist(write);
    });
  }
}
