// The short way from one desired state to the next: what changes where nothing but endpoints without a sandbox here came, went
// or moved. It costs what has changed and not what is there; for anything else there is the plan.

import { type Change } from './change';
import {
  bareAddress,
  vxlanName,
  type Desired,
  type DesiredNetwork,
  type ForwardingRow,
  type OverlayEndpoint,
} from './desired';

/** An endpoint as it was and as it is; absent where there is none. */
export interface EndpointChange {
  readonly before: OverlayEndpoint | undefined;
  readonly after: OverlayEndpoint | undefined;
}

export interface RowsChanged {
  readonly desired: Desired;
  readonly changes: readonly Change[];
}

interface Touched {
  readonly network: DesiredNetwork;
  readonly rows: Map<string, ForwardingRow | undefined>;
  readonly neighbors: Map<string, string | undefined>;
}

/**
 * Null if more than rows would change. The given `desired` is used up: its rows become those of the result. Hosts and networks,
 * and which hosts take part in which network, must be as they were.
 */
export function changeRows(
  desired: Desired,
  changed: readonly EndpointChange[],
  self: string,
): RowsChanged | null {
  const networks = new Map([...desired.networks.values()].map((each) => [each.id, each]));
  const groups = new Map(desired.nexthops.map(({ hostId, group }) => [hostId, group]));
  const isRemote = ({ host }: OverlayEndpoint): boolean => host !== self;
  for (const { before, after } of changed) {
    for (const endpoint of [before, after]) {
      if (endpoint === undefined) continue;
      if (!networks.has(endpoint.networkId)) return null;
      const isKnown = isRemote(endpoint)
        ? groups.has(endpoint.host)
        : endpoint.sandbox === undefined && endpoint.engine === undefined;
      if (!isKnown) return null;
    }
  }
  const touched = new Map<string, Touched>();
  const touchedIn = (networkId: string): Touched => {
    let known = touched.get(networkId);
    if (known === undefined) {
      const network = networks.get(networkId) as DesiredNetwork;
      touched.set(networkId, (known = { network, rows: new Map(), neighbors: new Map() }));
    }
    return known;
  };
  // All that goes, then all that comes: an address may pass from one endpoint to another.
  for (const { before } of changed) {
    if (before !== undefined && isRemote(before)) takeAway(touchedIn(before.networkId), before);
  }
  for (const { after } of changed) {
    const group = after === undefined ? undefined : groups.get(after.host);
    if (after !== undefined && group !== undefined && isRemote(after)) {
      bring(touchedIn(after.networkId), after, group);
    }
  }
  const changes: Change[] = [];
  for (const each of touched.values()) {
    addNeighbors(each, changes);
    addRows(each, changes);
  }
  return { desired: { ...desired }, changes };
}

function takeAway({ network, rows, neighbors }: Touched, endpoint: OverlayEndpoint): void {
  const { mac, addresses } = endpoint;
  if (!rows.has(mac)) rows.set(mac, network.fdb.get(mac));
  own(network.fdb).delete(mac);
  for (const address of addresses.map(bareAddress)) {
    if (!neighbors.has(address)) neighbors.set(address, network.neighbors.get(address));
    own(network.neighbors).delete(address);
  }
}

function bring({ network, rows, neighbors }: Touched, endpoint: OverlayEndpoint, nhid: number) {
  const { mac, addresses } = endpoint;
  if (!rows.has(mac)) rows.set(mac, network.fdb.get(mac));
  own(network.fdb).set(mac, { port: vxlanName, nhid });
  for (const address of addresses.map(bareAddress)) {
    if (!neighbors.has(address)) neighbors.set(address, network.neighbors.get(address));
    own(network.neighbors).set(address, mac);
  }
}

const gone = 'no endpoint has it';
const isNew = 'endpoint is new';

/** Written out field by field, as spreading costs ten times as much: here and below pass all rows of a burst. */
function addNeighbors({ network, neighbors }: Touched, changes: Change[]): void {
  const { netns, id: networkId } = network;
  const kind = 'neighbor';
  for (const [address, before] of neighbors) {
    const mac = network.neighbors.get(address);
    if (mac === before) continue;
    if (mac === undefined) {
      changes.push({ kind, action: 'remove', netns, address, networkId, reason: gone });
    } else changes.push({ kind, action: 'put', netns, address, mac, networkId, reason: isNew });
  }
}

function addRows({ network, rows }: Touched, changes: Change[]): void {
  const { netns, id: networkId } = network;
  const kind = 'fdb';
  for (const [mac, before] of rows) {
    const row = network.fdb.get(mac);
    if (row === undefined) {
      if (before === undefined) continue;
      const { port } = before;
      const onVxlan = before.nhid !== null;
      const reason = gone;
      changes.push({ kind, action: 'remove', netns, mac, port, onVxlan, networkId, reason });
    } else if (row.port !== before?.port || row.nhid !== before.nhid) {
      const { port, nhid } = row;
      const replaces = nhid === null && before !== undefined && before.nhid !== null;
      const reason = isNew;
      changes.push({ kind, action: 'put', netns, mac, port, nhid, replaces, networkId, reason });
    }
  }
}

/** The maps that `desiredOf` made; nobody else changes them. */
function own<Key, Value>(map: ReadonlyMap<Key, Value>): Map<Key, Value> {
  return map as Map<Key, Value>;
}
