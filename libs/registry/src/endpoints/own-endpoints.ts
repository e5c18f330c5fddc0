// Endpoints that a host's container engine holds: attached under ids that the host chooses, so that asking twice does no more than
// asking once; described when the engine knows more; detached whether they are there or not.

import {
  keys,
  SkeinError,
  type attachOwnContract,
  type describeOwnContract,
  type detachOwnContract,
  type EndpointRecord,
  type ParsedRequestOf,
} from '@skein/contracts';
import { within, type RequestContext } from '@skein/messaging';
import { canonicalJson } from '@skein/share';
import type { Store } from '@skein/store-client';
import type { Fault } from '../feeds/host-feed';
import type { Enrolments } from '../hosts/enrolments';
import { absent } from '../hosts/host-record';
import type { AddressBook, Fence } from '../ports';
import type { EndpointEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';
import { namesOf } from '../state/name-index';
import { planned } from './attachment-plan';
import { waitOf, type Attachments } from './attachments';
import type { TransactionMerger } from './transaction-merger';

export interface OwnEndpointsOptions {
  readonly store: Store;
  readonly view: FreshView;
  readonly attachments: Attachments;
  readonly enrolments: Enrolments;
  readonly merger: TransactionMerger;
  readonly addresses: AddressBook;
  readonly fence: Fence;
}

type Attach = ParsedRequestOf<typeof attachOwnContract>;
type Describe = ParsedRequestOf<typeof describeOwnContract>;
type Detach = ParsedRequestOf<typeof detachOwnContract>;

export interface OwnAttached {
  readonly endpoint: EndpointEntry;
  readonly behind: string[];
  readonly faults: readonly Fault[];
}

export interface Described {
  readonly endpoint: EndpointEntry;
  readonly taken: { name: string; endpointId: string }[];
}

const maxAttempts = 3;

export class OwnEndpoints {
  readonly #options: OwnEndpointsOptions;

  constructor(options: OwnEndpointsOptions) {
    this.#options = options;
  }

  async attach(request: Attach, context: RequestContext): Promise<OwnAttached> {
    const { view, attachments, enrolments } = this.#options;
    const { host: hostId, endpointId, engine, waitMs: _, network: reference, ...spec } = request;
    const { deadline } = context;
    const network = await view.findNetwork(reference, deadline);
    const host = view.state.host(hostId) ?? (await view.findHost(hostId, deadline));
    const known = this.#known(network.id, request);
    const waitMs = waitOf(request, context);
    const settled = async (endpoint: EndpointEntry): Promise<OwnAttached> => {
      const { behind, faults } = await within(context, 'push', () =>
        attachments.settle(network.id, [endpoint], waitMs),
      );
      return { endpoint, behind, faults };
    };
    if (known !== undefined) return settled(known);
    enrolments.demand(network, host);
    const plan = { ...planned({ host: hostId, ...spec }, host, endpointId, 0), engine };
    return attachments.during([plan], async () => {
      try {
        const [made] = await attachments.attach(network, [plan], context);
        if (made === undefined) throw new Error('an attach has no outcome');
        return await settled(made);
      } catch (thrown) {
        // It may be there from an earlier request whose answer was lost.
        await view.refresh(keys.endpoint(network.id, endpointId), deadline);
        const found = this.#known(network.id, request);
        if (found === undefined) throw thrown;
        return settled(found);
      }
    });
  }

  async describe(request: Describe, context: RequestContext): Promise<Described> {
    const { view, merger, fence } = this.#options;
    const { deadline } = context;
    const network = await view.findNetwork(request.network, deadline);
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const known = await view.findEndpoint(network.id, request.endpointId, deadline);
      this.#demandOwn(known, request);
      const { revision: before, ...record } = known;
      const { next, taken } = this.#described(record, request);
      if (canonicalJson(next) === canonicalJson(record)) return { endpoint: known, taken };
      const [old, fresh] = [namesOf(record), namesOf(next)];
      const key = keys.endpoint(network.id, known.id);
      const nameKey = (name: string) => keys.endpointName(network.id, name);
      const added = fresh.filter((name) => !old.includes(name));
      const { succeeded, revision } = await merger.commit({
        compare: [
          fence(),
          { key, target: 'modRevision', operator: '=', value: before },
          ...added.map((name) => absent(nameKey(name))),
        ],
        success: [
          { type: 'put', key, value: JSON.stringify(next) },
          ...added.map((name) => ({
            type: 'put' as const,
            key: nameKey(name),
            value: JSON.stringify({ endpointId: known.id }),
          })),
          ...old
            .filter((name) => !fresh.includes(name))
            .map((name) => ({ type: 'delete' as const, key: nameKey(name) })),
        ],
      });
      if (succeeded) {
        await view.demandReached(revision, deadline);
        return { endpoint: { ...next, revision }, taken };
      }
      await view.refresh(key, deadline);
      await view.refresh(keys.endpointNames(network.id), deadline);
    }
    throw new SkeinError('unavailable', 'The endpoint changes faster than it can be described');
  }

  async detach(request: Detach, context: RequestContext) {
    const { view, attachments, addresses } = this.#options;
    const { endpointId, waitMs, network: reference } = request;
    const network = view.network(reference);
    const networkId = network?.id ?? reference;
    if (this.#known(networkId, request) === undefined) {
      await view.refresh(keys.endpoint(networkId, endpointId), context.deadline);
    }
    const known = this.#known(networkId, request);
    if (known === undefined) {
      if (network !== undefined) await addresses.release(networkId, [endpointId], context);
      return { wasAttached: false, revision: view.revision };
    }
    try {
      const order = { network: networkId, endpoint: known.id, waitMs };
      const { revision } = await attachments.delete(order, context);
      return { wasAttached: true, revision };
    } catch (thrown) {
      if (SkeinError.from(thrown).code !== 'endpoint_not_found') throw thrown;
      return { wasAttached: false, revision: view.revision };
    }
  }

  /** The endpoint of this id, if there is one. Throws if it is another host's. */
  #known(networkId: string, request: Attach | Detach): EndpointEntry | undefined {
    const known = this.#options.view.state.endpoint(request.endpointId);
    if (known !== undefined) this.#demandOwn(known, request, networkId);
    return known;
  }

  #demandOwn(
    { id, host, networkId }: EndpointRecord,
    asked: { readonly host: string },
    wanted = networkId,
  ): void {
    if (host === asked.host && networkId === wanted) return;
    const message = `Endpoint ${id} is not one of host ${asked.host} on this network`;
    throw new SkeinError('host_mismatch', message, { field: 'endpointId', facts: { id } });
  }

  /** Names that others have are left out; without one of its own it keeps the one that it has. */
  #described(record: EndpointRecord, request: Describe) {
    const { view } = this.#options;
    const taken: Described['taken'] = [];
    const isFree = (name: string): boolean => {
      const holder = view.endpointNamed(record.networkId, name)?.id;
      if (holder === undefined || holder === record.id) return true;
      taken.push({ name, endpointId: holder });
      return false;
    };
    const { name, aliases, service, labels, sandbox } = request;
    const named = name !== undefined && isFree(name) ? name : record.name;
    const next: EndpointRecord = {
      ...record,
      name: named,
      aliases: [
        ...new Set(aliases?.filter((each) => each !== named && isFree(each)) ?? record.aliases),
      ],
      ...(service === undefined ? {} : { service }),
      ...(labels === undefined ? {} : { labels }),
      ...(sandbox === undefined ? {} : { sandbox }),
    };
    return { next, taken };
  }
}
