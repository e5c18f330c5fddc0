// Follows the store's committed state: reads it whole once, then watches from there. When the store has compacted what would
// come next, it reads the whole anew and says so. Knows no meaning of keys beyond their prefixes.

import { keys, stateRoot, type KeyValue, type RevisionEvents } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import type { Store, Watch } from '@skein/store-client';
import type { Time } from '@skein/time';

export interface Following {
  /** The records of networks, hosts and endpoints as of `revision`. */
  readonly onState: (revision: number, kvs: KeyValue[]) => void;
  readonly onEvents: (revisions: RevisionEvents[]) => void;
  readonly onProgress: (revision: number) => void;
  /** First revision not seen yet by whoever keeps history, or undefined for none: watched from there if still there. */
  readonly resumeAt: () => number | undefined;
  /** What happened before `revision` can't be told any more. */
  readonly onGap: (revision: number, addresses: KeyValue[]) => void;
}

const pageLimit = 500;
const retryMs = 200;

export class StoreFollower {
  readonly #store: Store;
  readonly #following: Following;
  readonly #time: Time;
  readonly #logger: Logger;
  #watch: Watch | undefined;
  #stopped = false;
  #cancelRetry: (() => void) | undefined;

  constructor(parts: { store: Store; time: Time; logger: Logger }, following: Following) {
    const { store, time, logger } = parts;
    this.#store = store;
    this.#time = time;
    this.#following = following;
    this.#logger = logger;
  }

  /** Resolves when the state has been read once; tries for as long as that takes. */
  async start(): Promise<void> {
    while (!this.#stopped) {
      try {
        return await this.#readAndWatch();
      } catch (thrown) {
        this.#logger.warn({ error: String(thrown) }, 'the state could not be read');
        await this.#pause();
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry?.();
    this.#watch?.close();
  }

  async #readAndWatch(): Promise<void> {
    const { revision, kvs } = await this.#readState();
    if (this.#stopped) return;
    this.#following.onState(revision, kvs);
    this.#watchFrom(Math.min(this.#following.resumeAt() ?? revision + 1, revision + 1));
  }

  #watchFrom(fromRevision: number): void {
    const { onEvents, onProgress } = this.#following;
    const onCompacted = (): void => void this.#startAfresh();
    const prefix = stateRoot;
    const request = { prefix, fromRevision, previous: true, onEvents, onProgress, onCompacted };
    this.#watch = this.#store.watch(request);
    this.#watch.opened.catch((thrown: unknown) => {
      this.#logger.warn({ error: String(thrown) }, 'the watch could not be opened');
    });
  }

  /** Revisions that were wanted are gone: what is true now is read, and the gap is told. */
  async #startAfresh(): Promise<void> {
    this.#watch?.close();
    while (!this.#stopped) {
      try {
        const { revision, kvs } = await this.#readState();
        const addresses = await this.#readPrefix(keys.allAddresses, revision);
        if (this.#stopped) return;
        this.#following.onGap(revision, addresses);
        this.#following.onState(revision, kvs);
        return this.#watchFrom(revision + 1);
      } catch (thrown) {
        this.#logger.warn({ error: String(thrown) }, 'the state could not be read');
        await this.#pause();
      }
    }
  }

  /** Never ends if the follower is stopped meanwhile. */
  #pause(): Promise<void> {
    return new Promise((resolve) => (this.#cancelRetry = this.#time.after(retryMs, resolve)));
  }

  async #readState(): Promise<{ revision: number; kvs: KeyValue[] }> {
    const { revision } = await this.#store.range({ key: stateRoot, prefix: true, countOnly: true });
    const kvs: KeyValue[] = [];
    for (const prefix of [keys.networks, keys.hosts, keys.allEndpoints]) {
      kvs.push(...(await this.#readPrefix(prefix, revision)));
    }
    return { revision, kvs };
  }

  async #readPrefix(prefix: string, revision: number): Promise<KeyValue[]> {
    const rangeEnd = endOf(prefix);
    const kvs: KeyValue[] = [];
    if (revision === 0) return kvs;
    for (let key = prefix; ;) {
      const page = await this.#store.range({ key, rangeEnd, revision, limit: pageLimit });
      kvs.push(...page.kvs);
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) return kvs;
      key = `${last.key}\0`;
    }
  }
}

/** First key after all that start with the prefix; prefixes of the state end in `/`. */
export function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}
