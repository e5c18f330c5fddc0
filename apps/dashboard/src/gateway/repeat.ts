// Something that is asked again and again while somebody wants it; one question at a time, none while the page is hidden.

export class Repeat {
  readonly #ask: () => Promise<unknown>;
  readonly #everyMs: () => number;
  #timer: number | undefined;
  #closed = false;

  constructor(ask: () => Promise<unknown>, everyMs: () => number) {
    this.#ask = ask;
    this.#everyMs = everyMs;
  }

  /** Asks at once, then in its rhythm. */
  now(): void {
    window.clearTimeout(this.#timer);
    if (this.#closed) return;
    const asked = document.hidden ? Promise.resolve() : this.#ask().catch(() => undefined);
    void asked.then(() => {
      if (this.#closed) return;
      window.clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.now(), this.#everyMs());
    });
  }

  close(): void {
    this.#closed = true;
    window.clearTimeout(this.#timer);
  }
}
