// What answers have told that later requests may use: tags, cursors, ids. The last few of each.

import type { Random } from '@skein/simulation';

const kept = 64;

export type Remembered = 'etag' | 'cursor' | 'id';

export class Memory {
  readonly #values: Record<Remembered, string[]> = { etag: [], cursor: [], id: [] };

  keep(what: Remembered, value: unknown): void {
    if (typeof value !== 'string') return;
    const values = this.#values[what];
    values.push(value);
    if (values.length > kept) values.shift();
  }

  recall(what: Remembered, random: Random): string | undefined {
    const values = this.#values[what];
    return values.length === 0 ? undefined : random.pick(values);
  }
}
