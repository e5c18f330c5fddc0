// Attaching and detaching: addresses from ipam, one transaction, then every live host of the network programs it (P6). It
// leaves nothing behind when it fails: addresses are released, and what could not be is found by the sweep.

import {
  demandRevision,
  keys,
  SkeinError,
  type EndpointRecord,
  type ParsedRequestOf,
  type createEndpointsContract,
  type deleteEndpointContract,
} from '@skein/contracts';
import { within, type Logger, type RequestContext } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { Feeds, Settled } from '../feeds/feeds';
import type { AddressBook, Chance, Fence } from '../ports';
import { atMost, type Time } from '@skein/time';
import type { EndpointEntry, HostEntry, NetworkEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';
import { namesOf } from '../state/name-index';
import {
  allocationRequest,
  allocationsOf,
  attachDraft,
  demandPossible,
  planned,
  recordOf,
  type HeldAt,
  type Planned,
} from './attachment-plan';
import type { OnceBook } from './once-book';
import type { LastHolder } from './last-holder';
import type { TransactionMerger } from './transaction-merger';

export interface AttachmentsOptions {
  readonly store: Store;
  readonly view: FreshView;
  readonly feeds: Feeds;
  readonly merger: TransactionMerger;
  readonly addresses: AddressBook;
  readonly book: OnceBook;
  readonly time: Time;
  readonly chance: Chance;
  readonly fence: Fence;
  readonly logger: Logger;
  readonly lastHolder: LastHolder;
  /** Until a host that is down is silent on fenced networks for certain, in milliseconds; null for one that is not down. */
  readonly silentInMs: (host: HostEntry) => number | null;
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
/** Longer than this it is left to the sweep to notice that a host has unplugged an endpoint. */
const silencePatienceMs = 15_000;
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
    return this.during(plans, async () => {
      const endpoints = await this.attach(network, plans, context);
      const waitMs = waitOf(request, context);
      return within(context, 'push', () => this.settle(network.id, endpoints, waitMs));
    });
  }

  /** Until the work is done, what these hold is known to be for endpoints that are being attached. */
  async during<Result>(plans: readonly Planned[], work: () => Promise<Result>): Promise<Result> {
    for (const { id } of plans) this.#attaching.add(id);
    try {
      return await work();
    } finally {
      for (const { id } of plans) this.#attaching.delete(id);
    }
  }

  async delete(request: DeleteRequest, context: RequestContext): Promise<Detached> {
    const { view, time } = this.#options;
    const network = await view.findNetwork(request.network, context.deadline);
    const hosts = view.state.participantsOf(network.id).keys();
    const endpoint = await view.findEndpoint(network.id, request.endpoint, context.deadline);
    demandRevision(endpoint.revision, request.ifRevisions);
    this.#demandSilent(network, endpoint);
    const revision = await within(context, 'commit', () => this.#detach(endpoint));
    const waitMs = waitOf(request, context);
    // The address rests before anybody else gets it, so its release waits for none but its own host, nor the answer for it.
    const [{ behind }] = await Promise.all([
      within(context, 'push', () =>
        this.#programmed(new Set([...hosts, endpoint.host]), revision, waitMs),
      ),
      atMost(time, waitMs + answerMs / 2, this.#releaseOnceSilent(endpoint, revision)),
    ]);
    return { revision, behind };
  }

  /** Invariant (P1): while its container may be heard, nobody gets its address; the sweep releases it then. */
  async #releaseOnceSilent(endpoint: EndpointEntry, revision: number): Promise<void> {
    const { lastHolder, logger } = this.#options;
    const { id, networkId, host } = endpoint;
    if (await lastHolder.becomesSilent({ networkId, host }, revision, silencePatienceMs)) {
      return this.#release(networkId, [id], undefined);
    }
    const facts = { network: networkId, endpoint: id, host };
    logger.warn(facts, 'addresses stay held: the host has not unplugged their endpoint');
  }

  /** Invariant (P1): a fenced address is free for others only once its lost host has surely silenced it. */
  #demandSilent({ onHostLoss }: NetworkEntry, { host: hostId, name }: EndpointEntry): void {
    const host = this.#options.view.state.host(hostId);
    const retryInMs = host === undefined ? null : this.#options.silentInMs(host);
    if (onHostLoss !== 'fence' || retryInMs === null || retryInMs === 0) return;
    const message = `Endpoint '${name}' may still be heard for ${retryInMs} ms; then it is taken back by itself`;
    throw new SkeinError('unavailable', message, { facts: { host: hostId, retryInMs } });
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

  /** All of them, attached at one revision; throws with nothing attached, unless the outcome is unknown. */
  async attach(
    network: NetworkEntry,
    plans: readonly Planned[],
    context: RequestContext,
  ): Promise<EndpointEntry[]> {
    const { view } = this.#options;
    demandPossible(view, network, plans);
    const ids = plans.map(({ id }) => id);
    try {
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const current = plans.map((plan) => ({
          ...plan,
          host: view.state.host(plan.host.id) ?? plan.host,
        }));
        const attached = await this.#tryAttach(network, current, attempt, context);
        if (attached !== undefined) return attached;
        await this.#refresh(network, plans, context);
      }
      throw new SkeinError('unavailable', 'The state changed again and again during the attach');
    } catch (thrown) {
      this.giveUp(network.id, ids, thrown);
      throw thrown;
    }
  }

  async #tryAttach(
    network: NetworkEntry,
    plans: readonly Planned[],
    attempt: number,
    context: RequestContext,
  ): Promise<EndpointEntry[] | undefined> {
    const { addresses, time } = this.#options;
    const requests = plans.map(allocationRequest);
    const allocated = await within(context, 'reserve', () =>
      addresses.allocate(network.id, requests, context),
    );
    const cause = { request: context.requestId, at: time.wallMs() };
    const allocations = allocationsOf(allocated.allocations);
    const records = plans.map((plan) => recordOf(plan, network.id, allocations(plan), cause));
    const held = { at: allocated.revision, isNew: attempt === 1 };
    return within(context, 'commit', () => this.commit(network, plans, records, held));
  }

  /** One transaction; undefined if something that it compares has changed. */
  async commit(
    network: NetworkEntry,
    plans: readonly Planned[],
    records: readonly EndpointRecord[],
    held: HeldAt,
  ): Promise<EndpointEntry[] | undefined> {
    const { fence, merger } = this.#options;
    const { compare, success } = attachDraft(network, plans, records, held);
    const { succeeded, revision } = await merger
      .commit({
        compare: [fence(), ...compare],
        success,
        requestId: records[0]?.created.request,
      })
      .catch(async (thrown: unknown) => ({
        succeeded: true,
        revision: await this.#committedAfterAll(records, thrown),
      }));
    return succeeded ? records.map((record) => ({ ...record, revision })) : undefined;
  }

  /** Releases what was held for endpoints that did not come to be, unless they may have. */
  giveUp(networkId: string, endpointIds: string[], thrown: unknown): void {
    if (SkeinError.from(thrown).code === 'unknown_outcome') return;
    void this.#release(networkId, endpointIds, undefined);
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
    const { view, book } = this.#options;
    await view.refresh(keys.hosts, deadline);
    await view.refresh(keys.endpointNames(network.id), deadline);
    if (view.state.network(network.id) === undefined) {
      throw new SkeinError('network_not_found', `There is no network '${network.name}' any more`, {
        field: 'network',
        facts: { network: network.name },
      });
    }
    demandPossible(view, network, plans);
    for (const { once } of plans) {
      if (once !== undefined && (await book.find(once)) !== undefined) throw attachedEarlier();
    }
  }

  /** What was committed is told as it was committed, whether or not this replica's view has it already. */
  async settle(networkId: string, endpoints: EndpointEntry[], waitMs: number): Promise<Attached> {
    const { view } = this.#options;
    const revision = endpoints.reduce((most, each) => Math.max(most, each.revision), 0);
    const hosts = () => [
      ...view.state.participantsOf(networkId).keys(),
      ...endpoints.map(({ host }) => host),
    ];
    const settled = await this.#programmed(hosts, revision, waitMs);
    const ids = new Set(endpoints.map(({ id }) => id));
    const faults = settled.faults.filter(({ endpointId }) => ids.has(endpointId));
    // One that went down meanwhile holds nobody up; but what is its own it has not plugged in.
    const lost = endpoints
      .map(({ host }) => host)
      .filter((host) => view.state.host(host)?.state !== 'up');
    const behind = [...new Set([...settled.behind, ...lost])].sort();
    return { endpoints, revision, behind, faults };
  }

  /** Waits, `waitMs` in all, for the view to have the revision and then for the hosts to have programmed it. */
  async #programmed(
    hosts: Iterable<string> | (() => Iterable<string>),
    revision: number,
    waitMs: number,
  ): Promise<Settled> {
    const { view, feeds, time } = this.#options;
    const startedAt = time.monotonicMs();
    await view.reached(revision, waitMs);
    const leftMs = Math.max(0, waitMs - (time.monotonicMs() - startedAt));
    const wanted = new Set(typeof hosts === 'function' ? hosts() : hosts);
    return feeds.waitFor(wanted, revision, leftMs);
  }

  async #detach(endpoint: EndpointEntry): Promise<number> {
    const { merger, fence, store } = this.#options;
    const { networkId, id, revision } = endpoint;
    const key = keys.endpoint(networkId, id);
    const committed = await merger.commit({
      compare: [fence(), { key, target: 'modRevision', operator: '=', value: revision }],
      success: detachOperations(endpoint),
    });
    if (committed.succeeded) return committed.revision;
    if ((await store.get(key))?.modRevision === revision) {
      throw new SkeinError('unavailable', 'Another replica of the registry has taken over');
    }
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

/** Not to be told to anybody: whoever knows the key looks up what it made. */
function attachedEarlier(): SkeinError {
  return new SkeinError('unavailable', 'A request with this key has attached its endpoint already');
}

export function waitOf({ waitMs }: { waitMs: number }, { deadline }: RequestContext): number {
  return Math.max(0, Math.min(waitMs, deadline.remainingMs() - answerMs));
}
