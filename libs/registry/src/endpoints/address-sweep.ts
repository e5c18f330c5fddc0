// Finds addresses that are held for endpoints which do not exist: left over by an attach that failed half-way, a release that did
// not get through, or a detach that the host had not programmed. Each is given time first, by this process' own time, since its
// attach may be under way; and none is taken back while its last holder may be heard.

import { addressRecordSchema, keys, type KeyValue } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { AddressBook } from '../ports';
import { elapsed, type Time } from '@skein/time';
import type { CommittedView } from '../state/committed-view';
import { endOf } from '../state/store-follower';
import { idsByNetwork } from './by-network';
import type { Held, LastHolder } from './last-holder';

export interface AddressSweepOptions {
  readonly store: Store;
  readonly view: CommittedView;
  readonly addresses: AddressBook;
  readonly time: Time;
  readonly logger: Logger;
  /** True while the endpoint is being attached. */
  readonly isAttaching: (endpointId: string) => boolean;
  readonly lastHolder: Pick<LastHolder, 'isSilent'>;
}

interface Orphan extends Held {
  readonly endpointId: string;
}

interface Seen {
  readonly at: number;
  /** Of the view, in which the endpoint was not there. */
  readonly revision: number;
}

export const orphanAfterMs = 15_000;
const pauseMs = 10_000;
/** A look reads every address, some 20 µs each in all processes together: this keeps it to a fiftieth of one processor. */
const restPerAddressMs = 1;
const pageLimit = 500;
const releaseLimit = 256;

export class AddressSweep {
  readonly #options: AddressSweepOptions;
  /** When an orphan was first seen, by endpoint. */
  #seen = new Map<string, Seen>();
  #cancel: (() => void) | undefined;
  #isStopped = false;
  #released = 0;

  constructor(options: AddressSweepOptions) {
    this.#options = options;
  }

  /** Addresses taken back so far. */
  get released(): number {
    return this.#released;
  }

  start(): void {
    this.#isStopped = false;
    this.#sweepLater();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #sweepLater(): void {
    if (this.#isStopped) return;
    const { time, logger } = this.#options;
    this.#cancel = time.after(pauseMs, () => {
      this.sweep()
        .catch((thrown: unknown) => {
          logger.warn({ error: String(thrown) }, 'the sweep failed');
        })
        .finally(() => this.#sweepLater());
    });
  }

  /** One pass; answers how many addresses it took back. */
  async sweep(): Promise<number> {
    const { time, addresses, logger, view, lastHolder } = this.#options;
    const orphans = await this.#orphans();
    const now: Seen = { at: time.monotonicMs(), revision: view.revision };
    this.#seen = new Map(
      orphans.map(({ endpointId }) => [endpointId, this.#seen.get(endpointId) ?? now]),
    );
    const due = orphans.filter((orphan) => {
      const { at, revision } = this.#seen.get(orphan.endpointId) ?? now;
      const isDue = now.at - at >= orphanAfterMs && lastHolder.isSilent(orphan, revision);
      return isDue && !this.#isWanted(orphan.endpointId);
    });
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
    const { store, view, time } = this.#options;
    const rangeEnd = endOf(keys.allAddresses);
    const orphans: Orphan[] = [];
    for (let key: string = keys.allAddresses; ;) {
      const page = await store.range({ key, rangeEnd, limit: pageLimit });
      const latest = page.kvs.reduce((most, kv) => Math.max(most, kv.modRevision), 0);
      // A view that is behind knows nothing of endpoints that have come since.
      if (!(await view.reached(latest, 1_000))) throw new Error('the view is behind the store');
      orphans.push(...page.kvs.flatMap((kv) => this.#orphanOf(kv) ?? []));
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) return orphans;
      key = `${last.key}\0`;
      await elapsed(time, page.kvs.length * restPerAddressMs);
      if (this.#isStopped) return [];
    }
  }

  /** Only what may be an orphan is looked at closely. */
  #orphanOf({ value }: KeyValue): Orphan | null {
    const record = jsonOf(value);
    if (this.#isWanted((record as Partial<Orphan> | undefined)?.endpointId)) return null;
    const { data } = addressRecordSchema.safeParse(record);
    if (data?.state !== 'held' || data.kind !== 'endpoint' || data.endpointId === undefined) {
      return null;
    }
    const { networkId, endpointId, host, bootId } = data;
    return { networkId, endpointId, host, bootId };
  }

  #isWanted(endpointId: string | undefined): boolean {
    if (typeof endpointId !== 'string') return false;
    const { view, isAttaching } = this.#options;
    return view.state.endpoint(endpointId) !== undefined || isAttaching(endpointId);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
