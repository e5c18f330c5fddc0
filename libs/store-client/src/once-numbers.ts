// The running numbers that make writes repeatable: each write has its own, and tells below which one all are answered. Bounds
// how many are out at once, since the store keeps a bounded number of answers a client.

import type { RequestOf, putContract } from '@skein/contracts';

export type Once = NonNullable<RequestOf<typeof putContract>['once']>;

/** Less than the answers that the store keeps a client. */
export const maxWritesInFlight = 512;

export class OnceNumbers {
  private last = 0;
  // Invariant: ascends, because numbers are handed out in order and a Set keeps the order of insertion.
  private readonly pending = new Set<number>();
  private readonly queue: (() => void)[] = [];

  constructor(private readonly client: string) {}

  /** Runs one write under a number of its own, repeated unchanged at each try. */
  async run<Reply>(write: (once: Once) => Promise<Reply>): Promise<Reply> {
    if (this.pending.size >= maxWritesInFlight) {
      await new Promise<void>((resolve) => this.queue.push(resolve));
    }
    const sequence = (this.last += 1);
    this.pending.add(sequence);
    const settledBelow = this.pending.values().next().value ?? sequence;
    try {
      return await write({ client: this.client, sequence, settledBelow });
    } finally {
      this.pending.delete(sequence);
      this.queue.shift()?.();
    }
  }
}
