// A seeded network between named places: it loses, repeats, delays, reorders, and cuts single
// directions. It carries bytes or anything else, and must not know what they mean.
import type { EventQueue } from './event-queue';
import type { Random } from './random';

export interface NetworkConditions {
  /** Probabilities in [0, 1]. */
  readonly loss: number;
  readonly duplication: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** Probability of a message that is late by up to ten times the usual. */
  readonly straggler: number;
  /** Messages of one direction arrive in the order of sending. */
  readonly isOrdered: boolean;
}

export const calmNetwork: NetworkConditions = {
  loss: 0,
  duplication: 0,
  minDelayMs: 1,
  maxDelayMs: 1,
  straggler: 0,
  isOrdered: true,
};

export class SimulatedNetwork<T> {
  private readonly cuts = new Map<string, number>();
  private readonly lastArrival = new Map<string, number>();
  private readonly clogged = new Map<string, number>();
  lost = 0;
  repeated = 0;

  constructor(
    private readonly queue: EventQueue,
    private readonly random: Random,
    public conditions: NetworkConditions,
    private readonly deliver: (to: string, payload: T) => void,
  ) {}

  send(from: string, to: string, payload: T): void {
    const { loss, duplication } = this.conditions;
    const isLost = this.random.chance(loss);
    const copies = this.random.chance(duplication) ? 2 : 1;
    const direction = `${from}>${to}`;
    if (isLost) this.lost += 1;
    if (isLost || this.cuts.has(direction)) return;
    if (copies > 1) this.repeated += 1;
    for (let copy = 0; copy < copies; copy += 1) this.carry(direction, to, payload);
  }

  private carry(direction: string, to: string, payload: T): void {
    const { minDelayMs, maxDelayMs, straggler, isOrdered } = this.conditions;
    let delayMs = minDelayMs + this.random.next() * (maxDelayMs - minDelayMs);
    if (this.random.chance(straggler)) delayMs += this.random.next() * maxDelayMs * 10;
    let arrivalMs = this.queue.nowMs + delayMs;
    arrivalMs = Math.max(arrivalMs, this.clogged.get(direction) ?? 0);
    if (isOrdered) {
      arrivalMs = Math.max(arrivalMs, this.lastArrival.get(direction) ?? 0);
      this.lastArrival.set(direction, arrivalMs);
    }
    this.queue.after(arrivalMs - this.queue.nowMs, () => {
      // What is on its way when a cut begins is lost too.
      if (!this.cuts.has(direction)) this.deliver(to, payload);
    });
  }

  /** Cuts one direction. Cuts add up: each needs its own `mend`. */
  cut(from: string, to: string): void {
    const direction = `${from}>${to}`;
    this.cuts.set(direction, (this.cuts.get(direction) ?? 0) + 1);
  }

  mend(from: string, to: string): void {
    const direction = `${from}>${to}`;
    const left = (this.cuts.get(direction) ?? 0) - 1;
    if (left > 0) this.cuts.set(direction, left);
    else this.cuts.delete(direction);
  }

  /** What is sent from now on in this direction arrives when the time is over, not before. */
  clog(from: string, to: string, forMs: number): void {
    this.clogged.set(`${from}>${to}`, this.queue.nowMs + forMs);
  }

  mendAll(): void {
    this.cuts.clear();
    this.clogged.clear();
  }
}
