// The view, with a way to catch up with the store where an answer depends on it: what seems not to exist may only not have
// arrived yet.

import { keys, SkeinError } from '@skein/contracts';
import type { Deadline, Logger } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { Time } from '@skein/time';
import { CommittedView } from './committed-view';
import type { EndpointEntry, HostEntry, NetworkEntry } from './entries';

/** Longest wait for the view to have what the store has. */
const catchUpMs = 2_000;
/** What was deleted leaves no revision to wait for: progress up to the store's own is given this long. */
const deletionMs = 100;

export class FreshView extends CommittedView {
  readonly #store: Store;

  constructor(parts: { store: Store; time: Time; logger: Logger }) {
    super(parts);
    this.#store = parts.store;
  }

  /** Waits until the view has everything under the prefix that the store has now; throws `unavailable` if it does not get there. */
  async refresh(prefix: string, deadline: Deadline): Promise<void> {
    const timeoutMs = Math.max(1, Math.min(catchUpMs, deadline.remainingMs()));
    const { kvs, revision } = await this.#store.range(
      { key: prefix, prefix: true, keysOnly: true },
      { timeoutMs },
    );
    const latest = kvs.reduce((most, kv) => Math.max(most, kv.modRevision), 0);
    await this.demandReached(latest, deadline);
    await this.reached(revision, Math.min(deletionMs, timeoutMs));
  }

  /** Throws `unavailable` if the view does not get that far in time. */
  async demandReached(revision: number, deadline: Deadline): Promise<void> {
    if (await this.reached(revision, Math.min(catchUpMs, deadline.remainingMs()))) return;
    throw new SkeinError('unavailable', `This replica has not seen revision ${revision} yet`, {
      facts: { revision, seen: this.revision },
    });
  }

  async findNetwork(reference: string, deadline: Deadline): Promise<NetworkEntry> {
    const known = this.network(reference);
    if (known !== undefined) return known;
    if (isReference(reference)) {
      await this.refresh(keys.networkName(reference), deadline);
      await this.refresh(keys.network(reference), deadline);
    }
    const found = this.network(reference);
    if (found !== undefined) return found;
    throw new SkeinError('network_not_found', `There is no network '${reference}'`, {
      field: 'network',
      facts: { network: reference },
    });
  }

  async findHost(reference: string, deadline: Deadline): Promise<HostEntry> {
    if (this.host(reference) === undefined) await this.refresh(keys.hosts, deadline);
    const found = this.host(reference);
    if (found !== undefined) return found;
    throw new SkeinError('host_not_found', `There is no host '${reference}'`, {
      field: 'host',
      facts: { host: reference },
    });
  }

  async findEndpoint(
    networkId: string,
    reference: string,
    deadline: Deadline,
  ): Promise<EndpointEntry> {
    if (this.endpoint(networkId, reference) === undefined && isReference(reference)) {
      await this.refresh(keys.endpointName(networkId, reference), deadline);
      await this.refresh(keys.endpoint(networkId, reference), deadline);
    }
    const found = this.endpoint(networkId, reference);
    if (found !== undefined) return found;
    throw new SkeinError('endpoint_not_found', `There is no endpoint '${reference}'`, {
      field: 'endpoint',
      facts: { network: networkId, endpoint: reference },
    });
  }
}

/** Fit to be part of a key. */
function isReference(text: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(text);
}
