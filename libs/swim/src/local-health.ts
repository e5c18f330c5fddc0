// The local health multiplier (Lifeguard, LHM): how far this member distrusts itself. Knows no members and no clock.

export class LocalHealth {
  readonly #max: number;
  #score = 0;

  /** Scores run from 0 (healthy) to `max` − 1; `max` 1 keeps it at 0. */
  constructor(max: number) {
    this.#max = max;
  }

  get score(): number {
    return this.#score;
  }

  /** What the probe interval is multiplied by. */
  get multiplier(): number {
    return this.#score + 1;
  }

  /** True if the score changed. */
  apply(delta: number): boolean {
    const before = this.#score;
    this.#score = Math.min(this.#max - 1, Math.max(0, before + delta));
    return this.#score !== before;
  }
}
