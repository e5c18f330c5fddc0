// Detaches what a host that is down held, slice by slice: endpoints and names in one transaction each, which holds only as long
// as the host's record and the endpoints are as they were seen. Why it is done is others' business.

import { keys, type Compare } from '@skein/contracts';
import type { Deadline, Logger, RequestContext } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import { detachOperations } from '../endpoints/attachments';
import { idsByNetwork } from '../endpoints/by-network';
import type { AddressBook, Fence } from '../ports';
import type { EndpointEntry, HostEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';
import { unchanged } from './host-record';

export interface HostReleaseOptions {
  readonly store: Store;
  readonly view: FreshView;
  readonly addresses: AddressBook;
  readonly fence: Fence;
  readonly logger: Logger;
}

/** Endpoints of one transaction. */
const slice = 64;
/** Transactions in a row that may meet a change of something else. */
const maxFailures = 4;
const catchUpMs = 2_000;

export class HostRelease {
  readonly #options: HostReleaseOptions;

  constructor(options: HostReleaseOptions) {
    this.#options = options;
  }

  endpointsOf(hostId: string): EndpointEntry[] {
    const { state } = this.#options.view;
    return [...state.networksOf(hostId)].flatMap((networkId) =>
      [...state.endpointsOf(networkId).values()].filter(({ host }) => host === hostId),
    );
  }

  /**
   * Answers how many endpoints went, once none is left that `isMeant`; null if the host's record is no longer what it was, so
   * that nothing more may be taken from it.
   */
  async release(
    host: HostEntry,
    isMeant: (endpoint: EndpointEntry) => boolean,
    context?: RequestContext,
  ): Promise<number | null> {
    const { store, view, fence } = this.#options;
    let released = 0;
    for (let failures = 0; failures < maxFailures;) {
      const current = view.state.host(host.id);
      if (current?.revision !== host.revision || current.state !== 'down') return null;
      const next = this.endpointsOf(host.id).filter(isMeant).slice(0, slice);
      if (next.length === 0) return released;
      const compare = [fence(), unchanged(host), ...next.map(asItWas)];
      const success = next.flatMap(detachOperations);
      const { succeeded, revision } = await store.txn(
        { compare, success },
        context === undefined ? {} : { context },
      );
      const isSeen = succeeded
        ? await view.reached(revision, catchUpMs)
        : await this.#catchUp(context?.deadline);
      if (succeeded) {
        released += next.length;
        await this.#giveBack(next, context);
      }
      failures = succeeded && isSeen ? 0 : failures + 1;
    }
    return null;
  }

  async #catchUp(deadline: Deadline | undefined): Promise<boolean> {
    const { view, store } = this.#options;
    const { revision } = await store.range({ key: keys.hosts, prefix: true, countOnly: true });
    const timeoutMs = Math.min(catchUpMs, deadline?.remainingMs() ?? catchUpMs);
    return view.reached(revision, timeoutMs);
  }

  async #giveBack(endpoints: readonly EndpointEntry[], context?: RequestContext): Promise<void> {
    const { addresses, logger } = this.#options;
    const gone = endpoints.map(({ id, networkId }) => ({ networkId, endpointId: id }));
    for (const [networkId, ids] of idsByNetwork(gone)) {
      await addresses.release(networkId, ids, context).catch((thrown: unknown) => {
        const facts = { network: networkId, endpoints: ids, error: String(thrown) };
        logger.warn(facts, 'addresses are left to the sweep');
      });
    }
  }
}

/** One that was detached meanwhile may have left its name to another. */
function asItWas({ networkId, id, revision }: EndpointEntry): Compare {
  const key = keys.endpoint(networkId, id);
  return { key, target: 'modRevision', operator: '=', value: revision };
}
