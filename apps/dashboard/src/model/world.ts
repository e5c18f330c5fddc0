// What takes part, as far as the page knows: hosts, networks and endpoints, from a snapshot and the events after it. Pure:
// the same snapshot and events make the same world, and an event heard twice changes nothing.

import type { EndpointView, HistoryEvent, HostView, NetworkView } from '@skein/contracts';

export type Endpoint = Pick<EndpointView, 'id' | 'networkId' | 'host' | 'name' | 'addresses'> & {
  readonly service?: string | undefined;
  readonly mac?: string | undefined;
};

export type Host = Pick<HostView, 'id' | 'name' | 'state'> & Partial<HostView>;
export type Network = Pick<NetworkView, 'id' | 'name'> & Partial<NetworkView>;

export interface World {
  /** Everything up to it is in here. */
  readonly revision: number;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly networks: ReadonlyMap<string, Network>;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
}

export const emptyWorld: World = {
  revision: 0,
  hosts: new Map(),
  networks: new Map(),
  endpoints: new Map(),
};

export interface Snapshot {
  /** The oldest of the revisions at which its parts were read: events after it may be in some of them already. */
  readonly revision: number;
  readonly hosts: readonly Host[];
  readonly networks: readonly Network[];
  readonly endpoints: readonly Endpoint[];
}

export function worldOf({ revision, hosts, networks, endpoints }: Snapshot): World {
  return {
    revision,
    hosts: byId(hosts),
    networks: byId(networks),
    endpoints: byId(endpoints),
  };
}

/** Newer views of hosts and networks; endpoints are followed by events alone. */
export function withParts(world: World, parts: Partial<Pick<Snapshot, 'hosts' | 'networks'>>) {
  return {
    ...world,
    ...(parts.hosts === undefined ? {} : { hosts: byId(parts.hosts) }),
    ...(parts.networks === undefined ? {} : { networks: byId(parts.networks) }),
  };
}

/** Events in their order; those that are not of the history are passed over. */
export function afterEvents(world: World, events: readonly HistoryEvent[]): World {
  if (events.length === 0) return world;
  const next = {
    revision: world.revision,
    hosts: new Map(world.hosts),
    networks: new Map(world.networks),
    endpoints: new Map(world.endpoints),
  };
  for (const event of events) apply(next, event);
  return next;
}

interface Draft {
  revision: number;
  readonly hosts: Map<string, Host>;
  readonly networks: Map<string, Network>;
  readonly endpoints: Map<string, Endpoint>;
}

function apply(draft: Draft, { type, subject, body, at, revision }: HistoryEvent): void {
  draft.revision = Math.max(draft.revision, revision);
  switch (type) {
    case 'network.created': {
      const known = draft.networks.get(subject);
      draft.networks.set(subject, { ...known, id: subject, name: text(body['name'], subject) });
      return;
    }
    case 'network.deleted':
      draft.networks.delete(subject);
      for (const [id, endpoint] of draft.endpoints)
        if (endpoint.networkId === subject) draft.endpoints.delete(id);
      return;
    case 'endpoint.attached':
      draft.endpoints.set(subject, {
        ...draft.endpoints.get(subject),
        id: subject,
        networkId: text(body['networkId'], ''),
        host: text(body['host'], ''),
        name: text(body['name'], subject),
        addresses: texts(body['addresses']),
      });
      return;
    case 'endpoint.detached':
      draft.endpoints.delete(subject);
      return;
    case 'host.up':
    case 'host.down': {
      const known = draft.hosts.get(subject);
      const { reason: _former, ...rest } = known ?? {};
      const reason = body['reason'];
      draft.hosts.set(subject, {
        ...rest,
        id: subject,
        name: known?.name ?? text(body['name'], subject),
        state: type === 'host.up' ? 'up' : 'down',
        since: at,
        ...(typeof reason === 'string' ? { reason } : {}),
      });
      return;
    }
    case 'host.removed':
      draft.hosts.delete(subject);
      return;
    default:
      return;
  }
}

/** Events after which the lists hold more than the events tell. */
export function asksForLists(events: readonly Pick<HistoryEvent, 'type'>[]): boolean {
  return events.some(({ type }) => /^(network|host|endpoint|history)\./.test(type));
}

export function isSuspended(world: World, endpoint: Endpoint): boolean {
  return world.hosts.get(endpoint.host)?.state !== 'up';
}

/** By name, as people look for them. */
export function byName<Item extends { readonly name: string }>(items: Iterable<Item>): Item[] {
  return [...items].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function byId<Item extends { readonly id: string }>(items: readonly Item[]): Map<string, Item> {
  return new Map(items.map((item) => [item.id, item]));
}

function text(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
