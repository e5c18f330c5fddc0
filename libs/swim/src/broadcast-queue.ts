// Opinions waiting to be gossiped: one a subject, the newer replacing the older, each sent a limited number of times.
// Knows nothing of members or packets beyond a budget of bytes.

import type { OpinionMessage } from './message';
import { encodeSwimMessage } from './wire/message-codec';

interface Broadcast {
  readonly message: OpinionMessage;
  readonly bytes: number;
  readonly order: number;
  sends: number;
}

export class BroadcastQueue {
  /** By the member that the opinion is about: what invalidates what. */
  readonly #bySubject = new Map<string, Broadcast>();
  #sorted: Broadcast[] | null = [];
  #order = 0;

  get size(): number {
    return this.#bySubject.size;
  }

  /** Queues an opinion; whatever else was queued about the same member is dropped as outdated. */
  push(message: OpinionMessage): void {
    this.#order += 1;
    const bytes = encodeSwimMessage(message).length;
    this.#bySubject.set(message.name, { message, bytes, order: this.#order, sends: 0 });
    this.#sorted = null;
  }

  has(subject: string): boolean {
    return this.#bySubject.has(subject);
  }

  drop(subject: string): void {
    if (this.#bySubject.delete(subject)) this.#sorted = null;
  }

  /**
   * Takes what fits into `budget` bytes, each opinion costing its size plus `overhead`: fewest sends first, then the
   * longest, then the newest. An opinion sent `limit` times leaves the queue.
   */
  take(terms: {
    budget: number;
    overhead: number;
    limit: number;
    parts: number;
  }): OpinionMessage[] {
    if (this.#bySubject.size === 0) return [];
    const taken: OpinionMessage[] = [];
    let left = terms.budget;
    for (const broadcast of this.#inOrder()) {
      if (taken.length >= terms.parts || left < terms.overhead) break;
      const cost = broadcast.bytes + terms.overhead;
      if (cost > left) continue;
      left -= cost;
      taken.push(broadcast.message);
      broadcast.sends += 1;
      if (broadcast.sends >= terms.limit) this.#bySubject.delete(broadcast.message.name);
    }
    if (taken.length > 0) this.#sorted = null;
    return taken;
  }

  #inOrder(): Broadcast[] {
    this.#sorted ??= [...this.#bySubject.values()].sort(
      (left, right) =>
        left.sends - right.sends || right.bytes - left.bytes || right.order - left.order,
    );
    return this.#sorted;
  }
}
