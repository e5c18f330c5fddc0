// Attaches of independent requests that came together: addresses of all in one question, transactions that are merged, one wait
// for the hosts. Each keeps its own request id, result and refusal: what does not go well together is tried once more alone.

import {
  SkeinError,
  type EndpointRecord,
  type ParsedRequestOf,
  type createEndpointsEachContract,
} from '@skein/contracts';
import { onBehalfOf, within, type RequestContext } from '@skein/messaging';
import type { Time } from '@skein/time';
import type { Fault } from '../feeds/host-feed';
import type { AddressBook, Chance } from '../ports';
import type { EndpointEntry, NetworkEntry } from '../state/entries';
import type { FreshView } from '../state/fresh-view';
import {
  allocationRequest,
  allocationsOf,
  demandPossible,
  namesIn,
  planned,
  recordOf,
  type Planned,
} from './attachment-plan';
import { waitOf, type Attachments } from './attachments';
import type { OnceBook } from './once-book';

export interface AttachGroupOptions {
  readonly view: FreshView;
  readonly attachments: Attachments;
  readonly addresses: AddressBook;
  readonly book: OnceBook;
  readonly time: Pick<Time, 'wallMs'>;
  readonly chance: Chance;
}

type EachRequest = ParsedRequestOf<typeof createEndpointsEachContract>;

/** An endpoint as it was committed, or why it was not. */
export type Outcome = EndpointEntry | SkeinError;

export interface GroupAttached {
  /** In the order of the request. */
  readonly outcomes: readonly Outcome[];
  /** Places in the request of those that an earlier one with the same key attached. */
  readonly replayed: ReadonlySet<number>;
  /** Of the endpoints of this group. */
  readonly faults: readonly Fault[];
  readonly behind: readonly string[];
}

/** One attach of the group, and the context of the request that it came with. */
interface Member {
  readonly plan: Planned;
  readonly context: RequestContext;
  readonly at: number;
}

export class AttachGroup {
  readonly #options: AttachGroupOptions;
  /** Keys of attaches that are being made, and when they are done. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(options: AttachGroupOptions) {
    this.#options = options;
  }

  /** Throws only what concerns all of them. */
  async create(request: EachRequest, context: RequestContext): Promise<GroupAttached> {
    const outcomes = new Map<number, Outcome>();
    const replayed = await this.#oneByKey(request, () => this.#attach(request, context, outcomes));
    return { ...(await this.#settled(request, outcomes, context)), replayed };
  }

  /** A repetition that overtakes the first request waits for it: what that one holds must not refuse it. */
  async #oneByKey<Result>(
    { attaches }: EachRequest,
    attach: () => Promise<Result>,
  ): Promise<Result> {
    const keys = attaches.flatMap(({ once }) => once?.key ?? []);
    const before = (): Promise<unknown>[] => keys.flatMap((key) => this.#underWay.get(key) ?? []);
    while (before().length > 0) await Promise.allSettled(before());
    const attaching = attach();
    for (const key of keys) this.#underWay.set(key, attaching);
    try {
      return await attaching;
    } finally {
      for (const key of keys) this.#underWay.delete(key);
    }
  }

  /** Answers the places of those that were attached by an earlier request. */
  async #attach(
    request: EachRequest,
    context: RequestContext,
    outcomes: Map<number, Outcome>,
  ): Promise<ReadonlySet<number>> {
    const { view, attachments } = this.#options;
    const network = await view
      .findNetwork(request.network, context.deadline)
      .catch((thrown: unknown) => SkeinError.from(thrown));
    if (network instanceof SkeinError) {
      for (const at of request.attaches.keys()) outcomes.set(at, network);
      const replayed = await this.#recall(request, outcomes);
      if (replayed.size === 0) throw network;
      return replayed;
    }
    const members = await this.#members(request, context, outcomes);
    const plans = members.map(({ plan }) => plan);
    return attachments.during(plans, async () => {
      const { together, later } = this.#parted(network, members, outcomes);
      const left = await this.#attachTogether(network, together, outcomes);
      for (const alone of [left, later]) {
        await Promise.all(alone.map((member) => this.#attachAlone(network, member, outcomes)));
      }
      return this.#recall(request, outcomes);
    });
  }

  /** Who repeats an attach is refused nothing: it is given what the first one made. */
  async #recall({ attaches }: EachRequest, outcomes: Map<number, Outcome>): Promise<Set<number>> {
    const replayed = new Set<number>();
    await Promise.all(
      attaches.map(async ({ once }, at) => {
        const refused = outcomes.get(at) instanceof SkeinError;
        if (once === undefined || !refused) return;
        try {
          const made = await this.#options.book.find(once);
          if (made === undefined) return;
          outcomes.set(at, made);
          replayed.add(at);
        } catch (thrown) {
          // A refusal is only true if nothing was made: where nobody can look, nobody knows.
          outcomes.set(at, SkeinError.from(thrown));
        }
      }),
    );
    return replayed;
  }

  /** Once the hosts have programmed what there is, by whichever request it was attached. */
  async #settled(
    request: EachRequest,
    outcomes: ReadonlyMap<number, Outcome>,
    context: RequestContext,
  ): Promise<Omit<GroupAttached, 'replayed'>> {
    const made = [...outcomes.values()].filter(
      (each): each is EndpointEntry => !(each instanceof SkeinError),
    );
    const told = request.attaches.map((_, at) => outcomes.get(at) ?? lost());
    const [first] = made;
    if (first === undefined) return { outcomes: told, behind: [], faults: [] };
    const { attachments } = this.#options;
    const waitMs = waitOf(request, context);
    const { behind, faults } = await within(context, 'push', () =>
      attachments.settle(first.networkId, made, waitMs),
    );
    return { outcomes: told, behind, faults };
  }

  async #members(
    { attaches }: EachRequest,
    context: RequestContext,
    outcomes: Map<number, Outcome>,
  ): Promise<Member[]> {
    const { view, chance } = this.#options;
    const members: Member[] = [];
    for (const [at, { endpoint, request: requestId, once }] of attaches.entries()) {
      try {
        const host =
          view.host(endpoint.host) ?? (await view.findHost(endpoint.host, context.deadline));
        const plan = planned(endpoint, host, chance.id(), 0, once);
        members.push({ plan, context: { ...context, requestId }, at });
      } catch (thrown) {
        outcomes.set(at, SkeinError.from(thrown));
      }
    }
    return members;
  }

  /** Those that the view has nothing against go together; of two that want one name the second waits for the first. */
  #parted(network: NetworkEntry, members: readonly Member[], outcomes: Map<number, Outcome>) {
    const together: Member[] = [];
    const later: Member[] = [];
    const names = new Set<string>();
    for (const member of members) {
      try {
        demandPossible(this.#options.view, network, [member.plan]);
      } catch (thrown) {
        outcomes.set(member.at, SkeinError.from(thrown));
        continue;
      }
      const { once } = member.plan;
      const wanted = [...namesIn(member.plan), ...(once === undefined ? [] : [`key ${once.key}`])];
      (wanted.some((name) => names.has(name)) ? later : together).push(member);
      for (const name of wanted) names.add(name);
    }
    return { together, later };
  }

  /** Answers those for which this did not do: they may be tried alone, with the addresses that they have got. */
  async #attachTogether(
    network: NetworkEntry,
    members: readonly Member[],
    outcomes: Map<number, Outcome>,
  ): Promise<Member[]> {
    const [first] = members;
    if (first === undefined) return [];
    if (members.length === 1) return [first];
    const { addresses, attachments, time } = this.#options;
    const requests = members.map(({ plan }) => allocationRequest(plan));
    let allocated: Awaited<ReturnType<AddressBook['allocate']>>;
    try {
      const behalf = onBehalfOf(members.map(({ context }) => context.requestId));
      const all = { ...first.context, ...behalf, requestId: first.context.requestId };
      allocated = await within(all, 'reserve', () => addresses.allocate(network.id, requests, all));
    } catch {
      // All or none: who stands in whose way is found one by one.
      return [...members];
    }
    const allocations = allocationsOf(allocated.allocations);
    const held = { at: allocated.revision, isNew: true };
    const wallMs = time.wallMs();
    const left: Member[] = [];
    await Promise.all(
      members.map(async (member) => {
        const { plan, context, at } = member;
        const cause = { request: context.requestId, at: wallMs };
        const records: EndpointRecord[] = [recordOf(plan, network.id, allocations(plan), cause)];
        try {
          const own = { ...context, alsoFor: [] };
          const made = await within(own, 'commit', () =>
            attachments.commit(network, [plan], records, held),
          );
          if (made?.[0] === undefined) left.push(member);
          else outcomes.set(at, made[0]);
        } catch (thrown) {
          attachments.giveUp(network.id, [plan.id], thrown);
          outcomes.set(at, SkeinError.from(thrown));
        }
      }),
    );
    return left;
  }

  async #attachAlone(
    network: NetworkEntry,
    { plan, context, at }: Member,
    outcomes: Map<number, Outcome>,
  ): Promise<void> {
    try {
      const [made] = await this.#options.attachments.attach(network, [plan], context);
      outcomes.set(at, made ?? lost());
    } catch (thrown) {
      outcomes.set(at, SkeinError.from(thrown));
    }
  }
}

function lost(): never {
  throw new Error('an attach has no outcome');
}
