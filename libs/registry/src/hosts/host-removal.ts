// Removing a host for good: its endpoints are detached and their addresses released, then a tombstone takes its record's place,
// so that its boot does not come back unasked. Only a host that is committed `down` can be removed; one that comes back
// meanwhile stops it.

import {
  demandRevision,
  keys,
  SkeinError,
  type HostHoldings,
  type RemovedHostRecord,
  type ReplyOf,
  type removeHostContract,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { Time } from '@skein/time';
import type { Fence } from '../ports';
import type { HostEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';
import { holdingsOf } from '../views/holdings';
import type { FenceReclaim } from './fence-reclaim';
import { unchanged } from './host-record';
import { tombstoneOf } from './host-registry';
import type { HostRelease } from './host-release';
import type { Roster } from './roster';

export interface HostRemovalOptions {
  readonly store: Store;
  readonly view: FreshView;
  readonly roster: Roster;
  readonly release: HostRelease;
  readonly fencing: FenceReclaim;
  readonly time: Pick<Time, 'wallMs'>;
  readonly fence: Fence;
}

type Removed = ReplyOf<typeof removeHostContract>;

export class HostRemoval {
  readonly #options: HostRemovalOptions;

  constructor(options: HostRemovalOptions) {
    this.#options = options;
  }

  /** What `remove` would release now. Changes nothing; a host that is up can be asked about as well. */
  async preview(reference: string, context: RequestContext): Promise<HostHoldings> {
    const { view } = this.#options;
    return holdingsOf(view, await view.findHost(reference, context.deadline));
  }

  async remove(
    reference: string,
    context: RequestContext,
    ifRevisions?: readonly number[],
  ): Promise<Removed> {
    const { view, store, roster, release, fencing, fence } = this.#options;
    const host = await view.findHost(reference, context.deadline);
    demandRevision(host.revision, ifRevisions);
    if (host.state !== 'down') throw hostInUse(host);
    const isFenced = release
      .endpointsOf(host.id)
      .some(({ networkId }) => fencing.isFenced(networkId));
    if (isFenced) await fencing.untilSilent(host, context.deadline);
    const releasedEndpoints = await release.release(host, () => true, context);
    if (releasedEndpoints === null) throw hostInUse(view.state.host(host.id) ?? host);
    const { succeeded, revision } = await store.txn(
      {
        compare: [fence(), unchanged(host)],
        // With its identity goes its credential: none is signed any more.
        success: [
          { type: 'put', ...this.#tombstone(host, context) },
          { type: 'delete', key: keys.host(host.id) },
          { type: 'delete', key: keys.hostIdentity(host.id) },
        ],
      },
      { context },
    );
    if (!succeeded) throw hostInUse(host);
    roster.forget(host.id);
    await view.reached(revision, context.deadline.remainingMs());
    return { revision, releasedEndpoints };
  }

  /** Lets a removed host come back in the boot in which it was removed. */
  async readmit(hostId: string, context: RequestContext): Promise<{ revision: number }> {
    const { store, fence } = this.#options;
    const key = keys.removedHost(hostId);
    const kv = await store.get(key, { context });
    if (kv === undefined) {
      throw new SkeinError('host_not_found', `No host '${hostId}' was removed`, {
        field: 'host',
        facts: { host: hostId },
      });
    }
    const { record, revision: readAt } = tombstoneOf(kv);
    const value = JSON.stringify({ ...record, isReadmitted: true });
    const { succeeded, revision } = await store.txn(
      {
        compare: [fence(), { key, target: 'modRevision', operator: '=', value: readAt }],
        success: [{ type: 'put', key, value }],
      },
      { context },
    );
    if (!succeeded) throw new SkeinError('unavailable', 'The host has just come back by itself');
    return { revision };
  }

  #tombstone(host: HostEntry, { requestId }: RequestContext): { key: string; value: string } {
    const { id, name, bootId, epoch, formerBoots } = host;
    const record: RemovedHostRecord = {
      id,
      name,
      bootId,
      epoch,
      ...(formerBoots === undefined ? {} : { formerBoots }),
      removed: { request: requestId, at: this.#options.time.wallMs() },
    };
    return { key: keys.removedHost(id), value: JSON.stringify(record) };
  }
}

function hostInUse({ id, name, state }: HostEntry): SkeinError {
  const message = `Host ${name} is up: only one that is down, and stays so, can be removed`;
  return new SkeinError('host_in_use', message, { field: 'host', facts: { host: id, state } });
}
