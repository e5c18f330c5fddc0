// Attaches of independent requests that came together: addresses of all in one question, transactions that are merged, one wait
// for the hosts. Each keeps its own request id, result and refusal: what does not go well together is tried once more alone.

import {
  SkeinError,
  type EndpointRecord,
  type ParsedRequestOf,
  type createEndpointsEachContract,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
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

export interface AttachGroupOptions {
  readonly view: FreshView;
  readonly attachments: Attachments;
  readonly addresses: AddressBook;
  readonly time: Pick<Time, 'wallMs'>;
  readonly chance: Chance;
}

type EachRequest = ParsedRequestOf<typeof createEndpointsEachContract>;

/** An endpoint as it was committed, or why it was not. */
export type Outcome = EndpointEntry | SkeinError;

export interface GroupAttached {
  /** In the order of the request. */
  readonly outcomes: readonly Outcome[];
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

  constructor(options: AttachGroupOptions) {
    this.#options = options;
  }

  /** Throws only what concerns all of them. */
  async create(request: EachRequest, context: RequestContext): Promise<GroupAttached> {
    const { view, attachments } = this.#options;
    const network = await view.findNetwork(request.network, context.deadline);
    const outcomes = new Map<number, Outcome>();
    const members = await this.#members(request, context, outcomes);
    const plans = members.map(({ plan }) => plan);
    return attachments.during(plans, async () => {
      const { together, later } = this.#parted(network, members, outcomes);
      const left = await this.#attachTogether(network, together, outcomes);
      for (const alone of [left, later]) {
        await Promise.all(alone.map((member) => this.#attachAlone(network, member, outcomes)));
      }
      const made = [...outcomes.values()].filter(
        (each): each is EndpointEntry => !(each instanceof SkeinError),
      );
      const settled =
        made.length === 0
          ? { behind: [], faults: [] }
          : await attachments.settle(network.id, made, waitOf(request, context));
      const told = request.attaches.map((_, at) => outcomes.get(at) ?? lost());
      return { outcomes: told, behind: settled.behind, faults: settled.faults };
    });
  }

  async #members(
    { attaches }: EachRequest,
    context: RequestContext,
    outcomes: Map<number, Outcome>,
  ): Promise<Member[]> {
    const { view, chance } = this.#options;
    const members: Member[] = [];
    for (const [at, { endpoint, request: requestId }] of attaches.entries()) {
      try {
        const host =
          view.host(endpoint.host) ?? (await view.findHost(endpoint.host, context.deadline));
        const plan = planned(endpoint, host, chance.id(), 0);
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
      const wanted = namesIn(member.plan);
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
      allocated = await addresses.allocate(network.id, requests, first.context);
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
          const made = await attachments.commit(network, [plan], records, held);
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
