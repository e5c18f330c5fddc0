// Finds addresses that are held for endpoints which do not exist: left over by an attach that failed half-way or a release
// that did not get through. Each is given time first, by this process' own time, since its attach may be under way.

import { addressRecordSchema, keys, type KeyValue } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { AddressBook } from '../ports';
import { every, type Time } from '@skein/time';
import type { CommittedView } from '../state/committed-view';
import { endOf } from '../state/store-follower';
import { idsByNetwork } from './by-network';

export interface AddressSweepOptions {
  readonly store: Store;
  readonly view: CommittedView;
  readonly addresses: AddressBook;
  readonly time: Time;
  readonly logger: Logger;
  /** True while the endpoint is being attached. */
  readonly isAttaching: (endpointId: string) => boolean;
}

interface Orphan {
  readonly networkId: string;
  readonly endpointId: string;
}

export const sweepEveryMs = 20_000;
export const orphanAfterMs = 60_000;
const pageLimit = 500;
const releaseLimit = 256;

export class AddressSweep {
  readonly #options: AddressSweepOptions;
  /** When an orphan was first seen, by endpoint. */
  #seenAt = new Map<string, number>();
  #cancel: (() => void) | undefined;
  #released = 0;

  constructor(options: AddressSweepOptions) {
    this.#options = options;
  }

  /** Addresses taken back so far. */
  get released(): number {
    return this.#released;
  }

  start(): void {
    const { time, logger } = this.#options;
    this.#cancel = every(time, sweepEveryMs, () => {
      this.sweep().catch((thrown: unknown) => {
        logger.warn({ error: String(thrown) }, 'the sweep failed');
      });
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  /** One pass; answers how many addresses it took back. */
  async sweep(): Promise<number> {
    const { time, addresses, logger } = this.#options;
    const now = time.monotonicMs();
    const orphans = await this.#orphans();
    const seenAt = new Map(
      orphans.map(({ endpointId }) => [endpointId, this.#seenAt.get(endpointId) ?? now]),
    );
    this.#seenAt = seenAt;
    const due = orphans.filter(
      ({ endpointId }) => now - (seenAt.get(endpointId) ?? now) >= orphanAfterMs,
    );
    let sum = 0;
    for (const [networkId, ids] of idsByNetwork(due)) {
      for (let start = 0; start < ids.length; start += releaseLimit) {
        const some = ids.slice(start, start + releaseLimit);
        const facts = { network: networkId, endpoints: some };
        // One network that can't be asked keeps no other one's addresses from being found.
        const released = await addresses.release(networkId, some).catch((thrown: unknown) => {
          logger.warn({ ...facts, error: String(thrown) }, 'orphaned addresses are kept for now');
          return 0;
        });
        if (released > 0) logger.warn({ ...facts, released }, 'orphaned addresses released');
        sum += released;
      }
    }
    this.#released += sum;
    return sum;
  }

  async #orphans(): Promise<Orphan[]> {
    const { store, view, isAttaching } = this.#options;
    const rangeEnd = endOf(keys.allAddresses);
    const orphans: Orphan[] = [];
    for (let key: string = keys.allAddresses; ;) {
      const page = await store.range({ key, rangeEnd, limit: pageLimit });
      const latest = page.kvs.reduce((most, kv) => Math.max(most, kv.modRevision), 0);
      // A view that is behind knows nothing of endpoints that have come since.
      if (!(await view.reached(latest, 1_000))) throw new Error('the view is behind the store');
      for (const orphan of page.kvs.flatMap((kv) => holderOf(kv) ?? [])) {
        const exists = view.state.endpoint(orphan.endpointId) !== undefined;
        if (!exists && !isAttaching(orphan.endpointId)) orphans.push(orphan);
      }
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) return orphans;
      key = `${last.key}\0`;
    }
  }
}

function holderOf(kv: KeyValue): Orphan | null {
  const { data } = addressRecordSchema.safeParse(jsonOf(kv.value));
  if (data?.state !== 'held' || data.kind !== 'endpoint' || data.endpointId === undefined) {
    return null;
  }
  return { networkId: data.networkId, endpointId: data.endpointId };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
