// Puts the transactions of concurrent requests together, so that two hundred attaches at once cost a few commits. A merged
// one that fails is tried again one by one, so that each request fails or succeeds on its own account.

import { SkeinError, type Compare, type Operation } from '@skein/contracts';
import { onBehalfOf } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { Time } from '@skein/time';

export interface Draft {
  readonly compare: readonly Compare[];
  readonly success: readonly Exclude<Operation, { type: 'range' | 'txn' }>[];
  /** The request that wants it. */
  readonly requestId?: string | undefined;
}

export interface Committed {
  readonly succeeded: boolean;
  readonly revision: number;
}

interface Waiting {
  readonly draft: Draft;
  readonly resolve: (committed: Committed) => void;
  readonly reject: (thrown: unknown) => void;
}

/** Transactions under way at once. */
const lanes = 4;
/** Writes, and comparisons, of one merged transaction; a single request may have more. */
const maxMerged = 512;

export class TransactionMerger {
  readonly #store: Pick<Store, 'txn'>;
  readonly #time: Pick<Time, 'soon'>;
  readonly #queue: Waiting[] = [];
  #underWay = 0;
  #scheduled = false;

  constructor(store: Pick<Store, 'txn'>, time: Pick<Time, 'soon'>) {
    this.#store = store;
    this.#time = time;
  }

  /** Throws as `Store.txn` does; whether a draft that was merged took effect may then be unknown. */
  commit(draft: Draft): Promise<Committed> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ draft, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      this.#time.soon(() => {
        this.#scheduled = false;
        this.#run();
      });
    });
  }

  #run(): void {
    while (this.#underWay < lanes && this.#queue.length > 0) {
      this.#underWay += 1;
      void this.#commit(this.#take()).finally(() => {
        this.#underWay -= 1;
        this.#run();
      });
    }
  }

  /** From the front of the queue: as many as fit and write no key twice. What doesn't fit stays, in order. */
  #take(): Waiting[] {
    const taken: Waiting[] = [];
    const written = new Set<string>();
    const compared = new Set<string>();
    let operations = 0;
    while (this.#queue[0] !== undefined) {
      const next = this.#queue[0];
      const { compare, success } = next.draft;
      const comparisons = compare.map(compareText).filter((text) => !compared.has(text));
      const fits =
        operations + success.length <= maxMerged &&
        compared.size + comparisons.length <= maxMerged &&
        !success.some(({ key }) => written.has(key));
      if (!fits && taken.length > 0) break;
      this.#queue.shift();
      taken.push(next);
      operations += success.length;
      for (const text of comparisons) compared.add(text);
      for (const { key } of success) written.add(key);
    }
    return taken;
  }

  async #commit(taken: readonly Waiting[]): Promise<void> {
    try {
      const committed = await this.#send(taken.map(({ draft }) => draft));
      if (committed.succeeded || taken.length === 1) {
        for (const { resolve } of taken) resolve(committed);
        return;
      }
    } catch (thrown) {
      const isOfOne = SkeinError.from(thrown).code === 'lease_not_found' && taken.length > 1;
      if (!isOfOne) {
        for (const { reject } of taken) reject(thrown);
        return;
      }
    }
    await Promise.all(taken.map((waiting) => this.#commit([waiting])));
  }

  async #send(drafts: readonly Draft[]): Promise<Committed> {
    const compares = new Map<string, Compare>();
    for (const compare of drafts.flatMap((draft) => draft.compare)) {
      compares.set(compareText(compare), compare);
    }
    const success = drafts.flatMap((draft) => draft.success);
    const onBehalf = onBehalfOf(drafts.map(({ requestId }) => requestId));
    const { succeeded, revision } = await this.#store.txn(
      { compare: [...compares.values()], success },
      { onBehalf },
    );
    return { succeeded, revision };
  }
}

function compareText({ key, rangeEnd, prefix, target, operator, value }: Compare): string {
  // Most are of one key and a number.
  if (rangeEnd === undefined && prefix === undefined && typeof value === 'number') {
    return `${target}${operator}${value} ${key}`;
  }
  return JSON.stringify([key, rangeEnd, prefix, target, operator, value]);
}
