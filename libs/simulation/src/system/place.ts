// A place where a program runs: it is up, paused or gone, and has clocks of its own. What was to be done in one life is never
// done in another; what comes while it is paused is done when it wakes. It must not know what the program does.

import type { Time } from '@skein/time';
import type { EventQueue } from '../event-queue';
import type { Random } from '../random';

/** What messages are delivered to. */
export interface Receiver {
  readonly name: string;
  readonly life: number;
  /** Runs now, at the end of a pause, or never if this life ends before. */
  whenAwake(run: () => void): void;
}

/** The wall clock's reading at the start of every run. */
const epochMs = 1_700_000_000_000;

export class Place implements Receiver {
  life = 0;
  isUp = false;
  isPaused = false;
  private arrived: (() => void)[] = [];
  private dueTimers: (() => void)[] = [];
  private jumpedMs = 0;
  private readonly originMs: number;

  constructor(
    readonly name: string,
    readonly queue: EventQueue,
    private readonly random: Random,
    /** Told that something is about to run here. */
    private readonly onRun: () => void,
  ) {
    this.originMs = 1_000 * random.between(1, 1_000_000);
  }

  start(): void {
    this.life += 1;
    this.isUp = true;
  }

  crash(): void {
    this.isUp = false;
    this.isPaused = false;
    this.life += 1;
    this.arrived = [];
    this.dueTimers = [];
  }

  pause(): void {
    if (this.isUp) this.isPaused = true;
  }

  /** Whether messages or timers come first after a pause is anybody's guess. */
  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    const [messages, timers] = [this.arrived, this.dueTimers];
    this.arrived = [];
    this.dueTimers = [];
    const inOrder = this.random.chance(0.5) ? [messages, timers] : [timers, messages];
    for (const run of inOrder.flat()) this.later(0, run);
  }

  /** The wall clock only: the monotonic one never jumps. */
  jumpWallClock(byMs: number): void {
    this.jumpedMs += byMs;
  }

  whenAwake(run: () => void): void {
    this.runOrKeep(run, this.arrived);
  }

  /** Of this life alone. */
  readonly time: Time = {
    wallMs: () => Math.round(epochMs + this.queue.nowMs + this.jumpedMs),
    monotonicMs: () => this.originMs + this.queue.nowMs,
    after: (ms, action) => this.later(ms, action),
    soon: (action) => void this.later(0, action),
  };

  private later(ms: number, action: () => void): () => void {
    const { life } = this;
    let isCancelled = false;
    this.queue.after(ms, () => {
      if (life !== this.life) return;
      this.runOrKeep(() => {
        if (!isCancelled && life === this.life) action();
      }, this.dueTimers);
    });
    return () => {
      isCancelled = true;
    };
  }

  private runOrKeep(run: () => void, kept: (() => void)[]): void {
    if (!this.isUp) return;
    if (this.isPaused) {
      kept.push(run);
      return;
    }
    this.onRun();
    run();
  }
}
