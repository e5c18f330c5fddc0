// A point in time by which an answer is wanted. It is monotonic and local: what travels is the time that is left, so
// that the clocks of two hosts need not agree.

export class Deadline {
  readonly #at: number;
  readonly #nowMs: () => number;

  private constructor(at: number, nowMs: () => number) {
    this.#at = at;
    this.#nowMs = nowMs;
  }

  /** `nowMs`: a monotonic clock; default the machine's. */
  static after(ms: number, nowMs = () => performance.now()): Deadline {
    return new Deadline(nowMs() + ms, nowMs);
  }

  /** The earlier of two. */
  static earlier(one: Deadline, other: Deadline): Deadline {
    return one.#at <= other.#at ? one : other;
  }

  /** Milliseconds left; negative once it has passed. */
  remainingMs(): number {
    return this.#at - this.#nowMs();
  }

  get expired(): boolean {
    return this.remainingMs() <= 0;
  }
}
