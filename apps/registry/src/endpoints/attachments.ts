// Attaching and detaching: addresses from ipam, one transaction, then every live host of the network programs it (P6). It
// leaves nothing behind when it fails: addresses are released, and what could not be is found by the sweep.

import {
  keys,
  SkeinError,
  type EndpointRecord,
  type ParsedRequestOf,
  type createEndpointsContract,
  type deleteEndpointContract,
} from '@skein/contracts';
import type { Logger, RequestContext } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { Feeds, Settled } from '../feeds/feeds';
import type { AddressBook, Chance, Clock, Fence } from '../ports';
import type { EndpointEntry, NetworkEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';
import { namesOf } from '../state/name-index';
import {
  allocationRequest,
  attachDraft,
  demandPossible,
  planned,
  recordOf,
  type Planned,
} from './attachment-plan';
import type { TransactionMerger } from './transaction-merger';

export interface AttachmentsOptions {
  readonly store: Store;
  readonly view: FreshView;
  readonly feeds: Feeds;
  readonly merger: TransactionMerger;
  readonly addresses: AddressBook;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly fence: Fence;
  readonly logger: Logger;
}

export interface Attached extends Settled {
  readonly endpoints: EndpointEntry[];
  readonly revision: number;
}

export interface Detached {
  readonly revision: number;
  readonly behind: string[];
}

type CreateRequest = ParsedRequestOf<typeof createEndpointsContract>;
type DeleteRequest = ParsedRequestOf<typeof deleteEndpointContract>;

/** How often an attach is tried again when something it was compared with has changed. */
const maxAttempts = 3;
/** Part of the deadline that is kept back for the answer. */
const answerMs = 200;

export class Attachments {
  readonly #options: AttachmentsOptions;
  /** Endpoints being attached: they hold addresses that no endpoint record speaks of yet. */
  readonly #attaching = new Set<string>();

  constructor(options: AttachmentsOptions) {
    this.#options = options;
  }

  isAttaching(endpointId: string): boolean {
    return this.#attaching.has(endpointId);
  }

  async create(request: CreateRequest, context: RequestContext): Promise<Attached> {
    const network = await this.#options.view.findNetwork(request.network, context.deadline);
    const plans = await this.#plan(request, context);
    for (const { id } of plans) this.#attaching.add(id);
    try {
      const revision = await this.#attach(network, plans, context);
      return await this.#settled(network.id, plans, revision, waitOf(request, context));
    } finally {
      for (const { id } of plans) this.#attaching.delete(id);
    }
  }

  async delete(request: DeleteRequest, context: RequestContext): Promise<Detached> {
    const { view, feeds } = this.#options;
    const network = await view.findNetwork(request.network, context.deadline);
    const hosts = [...view.state.participantsOf(network.id).keys()];
    const endpoint = await view.findEndpoint(network.id, request.endpoint, context.deadline);
    const revision = await this.#detach(endpoint);
    await this.#release(network.id, [endpoint.id], context);
    const waitMs = waitOf(request, context);
    await view.reached(revision, waitMs);
    const { behind } = await feeds.waitFor(new Set([...hosts, endpoint.host]), revision, waitMs);
    return { revision, behind };
  }

  async #plan({ endpoints }: CreateRequest, { deadline }: RequestContext): Promise<Planned[]> {
    const { view, chance } = this.#options;
    const plans: Planned[] = [];
    for (const [index, spec] of endpoints.entries()) {
      const host = await view.findHost(spec.host, deadline);
      plans.push(planned(spec, host, chance.id(), index));
    }
    return plans;
  }

  /** The revision at which all of them are attached; throws with nothing attached, unless the outcome is unknown. */
  async #attach(
    network: NetworkEntry,
    plans: readonly Planned[],
    context: RequestContext,
  ): Promise<number> {
    const { view } = this.#options;
    demandPossible(view, network, plans);
    const ids = plans.map(({ id }) => id);
    try {
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const current = plans.map((plan) => ({
          ...plan,
          host: view.state.host(plan.host.id) ?? plan.host,
        }));
        const revision = await this.#tryAttach(network, current, context);
        if (revision !== undefined) return revision;
        await this.#refresh(network, plans, context);
      }
      throw new SkeinError('unavailable', 'The state changed again and again during the attach');
    } catch (thrown) {
      const { code } = SkeinError.from(thrown);
      if (code !== 'unknown_outcome') void this.#release(network.id, ids, undefined);
      throw thrown;
    }
  }

  async #tryAttach(
    network: NetworkEntry,
    plans: readonly Planned[],
    context: RequestContext,
  ): Promise<number | undefined> {
    const { addresses, clock, fence, merger } = this.#options;
    const requests = plans.map(allocationRequest);
    const allocated = await addresses.allocate(network.id, requests, context);
    const allocations = new Map(allocated.allocations.map((each) => [each.endpointId, each]));
    const cause = { request: context.requestId, at: clock.wallMs() };
    const records = plans.map((plan) => {
      const allocation = allocations.get(plan.id);
      if (allocation === undefined) throw new Error(`ipam left out endpoint ${plan.id}`);
      return recordOf(plan, network.id, allocation, cause);
    });
    const draft = attachDraft(network, plans, records, allocated.revision);
    try {
      const { compare, success } = draft;
      const committed = await merger.commit({ compare: [fence(), ...compare], success });
      return committed.succeeded ? committed.revision : undefined;
    } catch (thrown) {
      return this.#committedAfterAll(records, thrown);
    }
  }

  /** A write whose outcome is unknown has happened if its records are there. */
  async #committedAfterAll(records: readonly EndpointRecord[], thrown: unknown): Promise<number> {
    const [first] = records;
    if (first === undefined || SkeinError.from(thrown).code !== 'unknown_outcome') throw thrown;
    const key = keys.endpoint(first.networkId, first.id);
    const found = await this.#options.store.get(key).catch(() => undefined);
    if (found === undefined) throw thrown;
    return found.createRevision;
  }

  /** After a refused transaction: what stands in the way is thrown, anything else may be tried again. */
  async #refresh(
    network: NetworkEntry,
    plans: readonly Planned[],
    { deadline }: RequestContext,
  ): Promise<void> {
    const { view } = this.#options;
    await view.refresh(keys.hosts, deadline);
    await view.refresh(keys.endpointNames(network.id), deadline);
    if (view.state.network(network.id) === undefined) {
      throw new SkeinError('network_not_found', `There is no network '${network.name}' any more`, {
        field: 'network',
        facts: { network: network.name },
      });
    }
    demandPossible(view, network, plans);
  }

  async #settled(
    networkId: string,
    plans: readonly Planned[],
    revision: number,
    waitMs: number,
  ): Promise<Attached> {
    const { view, feeds } = this.#options;
    const startedAt = this.#options.clock.monotonicMs();
    await view.reached(revision, waitMs + answerMs);
    const leftMs = Math.max(0, waitMs - (this.#options.clock.monotonicMs() - startedAt));
    const hosts = view.state.participantsOf(networkId).keys();
    const settled = await feeds.waitFor(hosts, revision, leftMs);
    const ids = new Set(plans.map(({ id }) => id));
    const endpoints = plans.flatMap(({ id }) => view.state.endpoint(id) ?? []);
    const faults = settled.faults.filter(({ endpointId }) => ids.has(endpointId));
    return { endpoints, revision, behind: settled.behind, faults };
  }

  async #detach(endpoint: EndpointEntry): Promise<number> {
    const { merger, fence } = this.#options;
    const { networkId, id, revision } = endpoint;
    const key = keys.endpoint(networkId, id);
    const committed = await merger.commit({
      compare: [fence(), { key, target: 'modRevision', operator: '=', value: revision }],
      success: detachOperations(endpoint),
    });
    if (committed.succeeded) return committed.revision;
    throw new SkeinError('endpoint_not_found', `There is no endpoint '${endpoint.name}' any more`, {
      field: 'endpoint',
      facts: { network: networkId, endpoint: id },
    });
  }

  async #release(
    networkId: string,
    endpointIds: string[],
    context: RequestContext | undefined,
  ): Promise<void> {
    const { addresses, logger } = this.#options;
    try {
      await addresses.release(networkId, endpointIds, context);
    } catch (thrown) {
      const facts = { network: networkId, endpoints: endpointIds, error: String(thrown) };
      logger.warn(facts, 'addresses are left to the sweep');
    }
  }
}

/** Deletes the endpoint and its names. */
export function detachOperations(
  endpoint: EndpointEntry,
): { readonly type: 'delete'; readonly key: string }[] {
  const { networkId, id } = endpoint;
  return [
    { type: 'delete', key: keys.endpoint(networkId, id) },
    ...namesOf(endpoint).map((name) => ({
      type: 'delete' as const,
      key: keys.endpointName(networkId, name),
    })),
  ];
}

function waitOf({ waitMs }: { waitMs: number }, { deadline }: RequestContext): number {
  return Math.max(0, Math.min(waitMs, deadline.remainingMs() - answerMs));
}
