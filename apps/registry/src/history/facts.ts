// What the events of one revision mean: facts for people and for other services. Pure; each event is told with the value
// that it replaced, so nothing else need be known.

import {
  endpointAttachedEvent,
  endpointDetachedEvent,
  hostDownEvent,
  hostRemovedEvent,
  hostUpEvent,
  networkCreatedEvent,
  networkDeletedEvent,
  parseStateKey,
  type EndpointRecord,
  type EventContract,
  type HostRecord,
  type KeyValue,
  type NetworkRecord,
  type RevisionEvents,
  type StoreEvent,
} from '@skein/contracts';
import { changeOf } from '@skein/registry';

export interface Fact {
  readonly revision: number;
  /** Position among the facts of one revision. */
  readonly position: number;
  readonly at: number;
  readonly event: EventContract;
  /** Id of the network, host or endpoint. */
  readonly subject: string;
  readonly body: Record<string, unknown>;
}

type Told = Pick<Fact, 'event' | 'subject'> & { readonly facts: Record<string, unknown> };

export function typeOf(fact: Fact): string {
  return `${fact.event.noun}.${fact.event.verb}`;
}

const told = new WeakMap<RevisionEvents, readonly Fact[]>();

/** The history and the announcer ask for the same ones. */
export function factsOf(revision: RevisionEvents): readonly Fact[] {
  let facts = told.get(revision);
  if (facts === undefined) told.set(revision, (facts = readFacts(revision)));
  return facts;
}

function readFacts(revision: RevisionEvents): Fact[] {
  const { at } = revision;
  const committed = { revision: revision.revision, at };
  return revision.events
    .flatMap((event) => factOf(event) ?? [])
    .map(({ event, subject, facts }, position) => ({
      ...committed,
      position,
      event,
      subject,
      body: { ...committed, ...facts },
    }));
}

function factOf(event: StoreEvent): Told | null {
  switch (parseStateKey(event.kv.key).kind) {
    case 'network':
      return networkFact(read<NetworkRecord>(event));
    case 'host':
      return hostFact(read<HostRecord>(event));
    case 'endpoint':
      return endpointFact(read<EndpointRecord>(event));
    case 'address':
    case 'other':
      return null;
  }
}

interface Change<Item> {
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

/** A value that is no record counts as none. */
function read<Item>({ type, kv, previous }: StoreEvent): Change<Item> {
  return {
    before: previous === undefined ? undefined : (recordOf(previous) as Item | undefined),
    after: type === 'delete' ? undefined : (recordOf(kv) as Item | undefined),
  };
}

function recordOf(kv: KeyValue): unknown {
  try {
    return changeOf(kv, 'put')?.record ?? undefined;
  } catch {
    return undefined;
  }
}

function networkFact({ before, after }: Change<NetworkRecord>): Told | null {
  const network = after ?? before;
  if (network === undefined || (before !== undefined && after !== undefined)) return null;
  const event = after === undefined ? networkDeletedEvent : networkCreatedEvent;
  const { id, name } = network;
  return { event, subject: id, facts: { networkId: id, name } };
}

function endpointFact({ before, after }: Change<EndpointRecord>): Told | null {
  const endpoint = after ?? before;
  if (endpoint === undefined || (before !== undefined && after !== undefined)) return null;
  const event = after === undefined ? endpointDetachedEvent : endpointAttachedEvent;
  const { id, networkId, name, host, addresses } = endpoint;
  return { event, subject: id, facts: { networkId, endpointId: id, name, host, addresses } };
}

function hostFact({ before, after }: Change<HostRecord>): Told | null {
  if (after === undefined) {
    if (before === undefined) return null;
    return { event: hostRemovedEvent, subject: before.id, facts: { hostId: before.id } };
  }
  const again = before?.state === after.state && before.bootId === after.bootId;
  if (again) return null;
  const { id, reason } = after;
  const event = after.state === 'up' ? hostUpEvent : hostDownEvent;
  return { event, subject: id, facts: { hostId: id, ...(reason === undefined ? {} : { reason }) } };
}
