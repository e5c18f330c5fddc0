// A point in time by which an answer is wanted. It is monotonic and local: what travels is the time that is left, so
// that the clocks of two hosts need not agree.

export class Deadline {
  readonly #at: number;

  private constructor(at: number) {
    this.#at = at;
  }

  static after(ms: number): Deadline {
    return new Deadline(performance.now() + ms);
  }

  /** The earlier of two. */
  static earlier(one: Deadline, other: Deadline): Deadline {
    return one.#at <= other.#at ? one : other;
  }

  /** Milliseconds left; negative once it has passed. */
  remainingMs(): number {
    return this.#at - performance.now();
  }

  get expired(): boolean {
    return this.remainingMs() <= 0;
  }
}
