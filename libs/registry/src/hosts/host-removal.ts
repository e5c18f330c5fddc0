// Removing a host for good: its endpoints are detached and their addresses released, then its record goes. Only a host that
// is committed `down` can be removed; one that comes back meanwhile stops it.

import { keys, SkeinError } from '@skein/contracts';
import type { Logger, RequestContext } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import { detachOperations } from '../endpoints/attachments';
import { idsByNetwork } from '../endpoints/by-network';
import type { AddressBook, Fence } from '../ports';
import type { EndpointEntry, HostEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';
import { unchanged } from './host-registry';
import type { Roster } from './roster';

export interface HostRemovalOptions {
  readonly store: Store;
  readonly view: FreshView;
  readonly roster: Roster;
  readonly addresses: AddressBook;
  readonly fence: Fence;
  readonly logger: Logger;
}

/** Endpoints of one transaction. */
const chunk = 64;

export class HostRemoval {
  readonly #options: HostRemovalOptions;

  constructor(options: HostRemovalOptions) {
    this.#options = options;
  }

  async remove(
    reference: string,
    context: RequestContext,
  ): Promise<{ revision: number; releasedEndpoints: number }> {
    const { view, store, roster, fence } = this.#options;
    const host = await view.findHost(reference, context.deadline);
    if (host.state !== 'down') throw hostInUse(host);
    const endpoints = this.#endpointsOf(host.id);
    for (let start = 0; start < endpoints.length; start += chunk) {
      await this.#detach(host, endpoints.slice(start, start + chunk), context);
    }
    const { succeeded, revision } = await store.txn(
      {
        compare: [fence(), unchanged(host)],
        // With its identity goes its credential: none is signed any more.
        success: [
          { type: 'delete', key: keys.host(host.id) },
          { type: 'delete', key: keys.hostIdentity(host.id) },
        ],
      },
      { context },
    );
    if (!succeeded) throw hostInUse(host);
    roster.forget(host.id);
    await view.reached(revision, context.deadline.remainingMs());
    return { revision, releasedEndpoints: endpoints.length };
  }

  #endpointsOf(hostId: string): EndpointEntry[] {
    const { state } = this.#options.view;
    return [...state.networksOf(hostId)].flatMap((networkId) =>
      [...state.endpointsOf(networkId).values()].filter(({ host }) => host === hostId),
    );
  }

  async #detach(
    host: HostEntry,
    endpoints: readonly EndpointEntry[],
    context: RequestContext,
  ): Promise<void> {
    const { store, fence, addresses, logger } = this.#options;
    const { succeeded } = await store.txn(
      { compare: [fence(), unchanged(host)], success: endpoints.flatMap(detachOperations) },
      { context },
    );
    if (!succeeded) throw hostInUse(host);
    const gone = endpoints.map(({ id, networkId }) => ({ networkId, endpointId: id }));
    for (const [networkId, ids] of idsByNetwork(gone)) {
      await addresses.release(networkId, ids, context).catch((thrown: unknown) => {
        const facts = { network: networkId, endpoints: ids, error: String(thrown) };
        logger.warn(facts, 'addresses are left to the sweep');
      });
    }
  }
}

function hostInUse({ id, name }: HostEntry): SkeinError {
  return new SkeinError('host_in_use', `Host ${name} is up: only one that is down can be removed`, {
    field: 'host',
    facts: { host: id, state: 'up' },
  });
}
