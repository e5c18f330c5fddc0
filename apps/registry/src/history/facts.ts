// What the events of one revision mean: facts for people and for other services. Pure; each event is told with the value
// that it replaced, so nothing else need be known.

import {
  endpointAttachedEvent,
  endpointDetachedEvent,
  endpointRecordSchema,
  hostDownEvent,
  hostRecordSchema,
  hostRemovedEvent,
  hostUpEvent,
  networkCreatedEvent,
  networkDeletedEvent,
  networkRecordSchema,
  parseStateKey,
  type EndpointRecord,
  type EventContract,
  type HostRecord,
  type NetworkRecord,
  type RevisionEvents,
  type StoreEvent,
} from '@skein/contracts';
import type { z } from 'zod';

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

export function factsOf(revision: RevisionEvents): Fact[] {
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
      return networkFact(read(networkRecordSchema, event));
    case 'host':
      return hostFact(read(hostRecordSchema, event));
    case 'endpoint':
      return endpointFact(read(endpointRecordSchema, event));
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
function read<Schema extends z.ZodType>(
  schema: Schema,
  event: StoreEvent,
): Change<z.output<Schema>> {
  return {
    before: event.previous === undefined ? undefined : parse(schema, event.previous.value),
    after: event.type === 'delete' ? undefined : parse(schema, event.kv.value),
  };
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
): z.output<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
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
