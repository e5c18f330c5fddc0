// Reads the gateway's lists whole, page by page, up to what a page in a browser can still show.

import type {
  AddressRecord,
  EndpointView,
  HistoryEvent,
  HostView,
  NetworkView,
} from '@skein/contracts';
import type { Snapshot } from '../model/world';
import type { GatewayClient, Query } from './client';

export const maxEndpoints = 20_000;
export const maxEvents = 20_000;
const pageSize = 1_000;

interface Page {
  readonly revision: number;
  readonly cursor?: string;
}

interface Listed<Item> {
  readonly items: readonly Item[];
  /** Of the first page: what happened since may be missing from it. */
  readonly revision: number;
}

async function readAll<Item, Key extends string>(
  client: GatewayClient,
  path: string,
  key: Key,
  most = Infinity,
): Promise<Listed<Item>> {
  const items: Item[] = [];
  let revision: number | undefined;
  let cursor: string | undefined;
  do {
    const query: Query = { limit: pageSize, cursor };
    const page = await client.get<Page & Record<Key, readonly Item[]>>(path, query);
    items.push(...page[key]);
    revision ??= page.revision;
    cursor = page.cursor;
  } while (cursor !== undefined && items.length < most);
  return { items, revision };
}

export const readHosts = (client: GatewayClient) =>
  readAll<HostView, 'hosts'>(client, '/v1/hosts', 'hosts');

export const readNetworks = (client: GatewayClient) =>
  readAll<NetworkView, 'networks'>(client, '/v1/networks', 'networks');

const readEndpoints = (client: GatewayClient, network: string) =>
  readAll<EndpointView, 'endpoints'>(
    client,
    `/v1/networks/${network}/endpoints`,
    'endpoints',
    maxEndpoints,
  );

export async function readSnapshot(client: GatewayClient): Promise<Snapshot> {
  const [hosts, networks] = await Promise.all([readHosts(client), readNetworks(client)]);
  const endpoints: EndpointView[] = [];
  for (const { id } of networks.items) {
    if (endpoints.length >= maxEndpoints) break;
    // One that was deleted meanwhile is told by an event.
    const listed = await readEndpoints(client, id).catch(() => ({ items: [] }));
    endpoints.push(...listed.items);
  }
  return {
    revision: Math.min(hosts.revision, networks.revision),
    hosts: hosts.items,
    networks: networks.items,
    endpoints,
  };
}

/** All events up to now, oldest first; `isWhole` is false where there were more than a page in a browser holds. */
export async function readEvents(
  client: GatewayClient,
): Promise<{ events: HistoryEvent[]; isWhole: boolean }> {
  const events: HistoryEvent[] = [];
  let from = 1;
  while (events.length < maxEvents) {
    const page = await client.get<{ events: HistoryEvent[]; revision: number }>('/v1/events', {
      from,
      limit: pageSize,
    });
    // The last revision of a full page may go on behind it: it is read again from its first event.
    const isLast = page.events.length < pageSize;
    const last = page.events.at(-1)?.revision ?? from;
    const whole = isLast ? page.events : page.events.filter(({ revision }) => revision < last);
    events.push(...(whole.length === 0 ? page.events : whole));
    if (isLast) return { events, isWhole: true };
    from = whole.length === 0 ? last + 1 : last;
  }
  return { events, isWhole: false };
}

export const maxHolders = 20_000;

export async function readHolders(client: GatewayClient, network: string) {
  const path = `/v1/networks/${network}/addresses`;
  const listed = await readAll<AddressRecord, 'holders'>(client, path, 'holders', maxHolders);
  return listed.items;
}
