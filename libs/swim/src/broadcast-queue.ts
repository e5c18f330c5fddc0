// Opinions waiting to be gossiped: one a subject, the newer replacing the older, each sent a limited number of times.
// Knows nothing of members or packets beyond a budget of bytes.

import type { OpinionMessage } from './message';
import { swimMessageBytes } from './wire/message-codec';

interface Broadcast {
  readonly message: OpinionMessage;
  readonly bytes: number;
  readonly order: number;
  sends: number;
}

export class BroadcastQueue {
  /** By the member that the opinion is about: what invalidates what. */
  readonly #bySubject = new Map<string, Broadcast>();
  /** By the number of sends, each list in the order of sending: a send moves an opinion to the next list. */
  readonly #bySends: Broadcast[][] = [];
  #order = 0;

  get size(): number {
    return this.#bySubject.size;
  }

  /** Queues an opinion; whatever else was queued about the same member is dropped as outdated. */
  push(message: OpinionMessage): void {
    this.drop(message.name);
    this.#order += 1;
    const bytes = swimMessageBytes(message);
    const broadcast = { message, bytes, order: this.#order, sends: 0 };
    this.#bySubject.set(message.name, broadcast);
    this.#insert(broadcast);
  }

  has(subject: string): boolean {
    return this.#bySubject.has(subject);
  }

  drop(subject: string): void {
    const broadcast = this.#bySubject.get(subject);
    if (broadcast === undefined) return;
    this.#bySubject.delete(subject);
    const list = this.#sentTimes(broadcast.sends);
    list.splice(placeOf(list, broadcast), 1);
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
    const taken: Broadcast[] = [];
    let left = terms.budget;
    for (const list of this.#bySends) {
      const kept = list.filter((broadcast) => {
        const cost = broadcast.bytes + terms.overhead;
        if (taken.length >= terms.parts || cost > left) return true;
        left -= cost;
        taken.push(broadcast);
        return false;
      });
      if (kept.length < list.length) list.splice(0, list.length, ...kept);
      if (taken.length >= terms.parts || left < terms.overhead) break;
    }
    for (const broadcast of taken) {
      broadcast.sends += 1;
      if (broadcast.sends < terms.limit) this.#insert(broadcast);
      else this.#bySubject.delete(broadcast.message.name);
    }
    return taken.map(({ message }) => message);
  }

  #insert(broadcast: Broadcast): void {
    const list = this.#sentTimes(broadcast.sends);
    list.splice(placeOf(list, broadcast), 0, broadcast);
  }

  #sentTimes(sends: number): Broadcast[] {
    while (this.#bySends.length <= sends) this.#bySends.push([]);
    return this.#bySends[sends] as Broadcast[];
  }
}

/** Where it stands, or would stand, among those sent as often: the longest first, then the newest. */
function placeOf(list: readonly Broadcast[], broadcast: Broadcast): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = list[middle] as Broadcast;
    const isBefore = broadcast.bytes - other.bytes || broadcast.order - other.order;
    if (isBefore >= 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
