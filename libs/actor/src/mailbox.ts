// A bounded queue of messages with their pending answers. System messages (timers, watches) pass its bound: their number
// is the actor's own doing.

export interface Envelope<Message> {
  readonly message: Message;
  /** Settles the ask behind the message, if there is one and it is unsettled. */
  readonly abandon?: (code: 'failed' | 'stopped', cause?: unknown) => void;
}

export class Mailbox<Message> {
  readonly #limit: number;
  #envelopes: Envelope<Message>[] = [];
  #head = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#envelopes.length - this.#head;
  }

  /** False if it is full. */
  offer(envelope: Envelope<Message>): boolean {
    if (this.size >= this.#limit) return false;
    this.#envelopes.push(envelope);
    return true;
  }

  force(envelope: Envelope<Message>): void {
    this.#envelopes.push(envelope);
  }

  /** The oldest ones, at most `max`, removed. */
  take(max: number): Envelope<Message>[] {
    const taken = this.#envelopes.slice(this.#head, this.#head + max);
    this.#head += taken.length;
    if (this.#head === this.#envelopes.length) {
      this.#envelopes = [];
      this.#head = 0;
    } else if (this.#head > 1_024) {
      this.#envelopes = this.#envelopes.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }
}
