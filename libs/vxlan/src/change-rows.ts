// The short way from one desired state to the next: what changes where nothing but endpoints came, went or moved, and those of this
// host are an engine's or without an interface. It costs what has changed and not what is there; for anything else there is the plan.

import { inOrder, type Change } from './change';
import {
  bareAddress,
  vxlanName,
  type Desired,
  type DesiredNetwork,
  type ForwardingRow,
  type OverlayEndpoint,
} from './desired';
import { bringPort, isSamePort, movePort, takePort, type Ports } from './ports';

/** An endpoint as it was and as it is; absent where there is none. */
export interface EndpointChange {
  readonly before: OverlayEndpoint | undefined;
  readonly after: OverlayEndpoint | undefined;
}

export interface RowsChanged {
  readonly desired: Desired;
  readonly changes: readonly Change[];
}

interface Touched extends Ports {
  readonly network: DesiredNetwork;
  readonly rows: Map<string, ForwardingRow | undefined>;
  readonly neighbors: Map<string, string | undefined>;
}

/**
 * Null if that does not do. The given `desired` is used up: its rows and ports become those of the result. Hosts and networks,
 * and which hosts take part in which network, must be as they were.
 */
export function changeRows(
  desired: Desired,
  changed: readonly EndpointChange[],
  self: string,
): RowsChanged | null {
  const networks = new Map([...desired.networks.values()].map((each) => [each.id, each]));
  const isRemote = ({ host }: OverlayEndpoint): boolean => host !== self;
  const isPort = (endpoint: OverlayEndpoint | undefined): endpoint is OverlayEndpoint =>
    endpoint !== undefined && !isRemote(endpoint) && endpoint.engine !== undefined;
  for (const { before, after } of changed) {
    for (const endpoint of [before, after]) {
      if (endpoint === undefined) continue;
      if (!networks.has(endpoint.networkId)) return null;
      if (isRemote(endpoint) && !desired.vteps.has(endpoint.host)) return null;
      if (!isRemote(endpoint) && endpoint.engine === undefined && endpoint.sandbox !== undefined) {
        return null;
      }
    }
    if (!isPort(after)) continue;
    // One that is there keeps its port; a new one waits for its engine in the host's namespace.
    const isFit = isPort(before) ? isSamePort(before, after) : after.sandbox === undefined;
    if (!isFit) return null;
  }
  const touched = new Map<string, Touched>();
  const touchedIn = (networkId: string): Touched => {
    let known = touched.get(networkId);
    if (known === undefined) {
      const network = networks.get(networkId) as DesiredNetwork;
      known = { network, rows: new Map(), neighbors: new Map(), steps: [] };
      touched.set(networkId, known);
    }
    return known;
  };
  // All that goes, then all that comes: an address may pass from one endpoint to another.
  for (const { before, after } of changed) {
    if (before === undefined) continue;
    if (isRemote(before)) takeAway(touchedIn(before.networkId), before);
    else if (isPort(before) && !isPort(after)) takePort(touchedIn(before.networkId), before);
  }
  for (const { before, after } of changed) {
    if (after === undefined) continue;
    const vtep = desired.vteps.get(after.host);
    if (isRemote(after) && vtep !== undefined) bring(touchedIn(after.networkId), after, vtep);
    else if (isPort(after)) {
      (isPort(before) ? movePort : bringPort)(touchedIn(after.networkId), after);
    }
  }
  const changes: Change[] = [];
  for (const each of touched.values()) {
    addNeighbors(each, changes);
    addRows(each, changes);
    changes.push(...each.steps);
  }
  const hasPorts = [...touched.values()].some(({ steps }) => steps.length > 0);
  return { desired: { ...desired }, changes: hasPorts ? inOrder(changes) : changes };
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

function bring({ network, rows, neighbors }: Touched, endpoint: OverlayEndpoint, vtep: string) {
  const { mac, addresses } = endpoint;
  if (!rows.has(mac)) rows.set(mac, network.fdb.get(mac));
  own(network.fdb).set(mac, { port: vxlanName, vtep });
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
      takeRow(network, mac, before, changes);
    } else if (row.port !== before?.port || row.vtep !== before.vtep) {
      const { port, vtep } = row;
      if (vtep === null) {
        // That of a new port comes with it.
        if (before !== undefined && before.vtep !== null) takeRow(network, mac, before, changes);
        continue;
      }
      const reason = isNew;
      changes.push({
        kind,
        action: 'put',
        netns,
        mac,
        port,
        vtep,
        replaces: false,
        networkId,
        reason,
      });
    }
  }
}

function takeRow(
  { netns, id: networkId }: DesiredNetwork,
  mac: string,
  { port, vtep }: ForwardingRow,
  changes: Change[],
): void {
  const onVxlan = vtep !== null;
  const reason = gone;
  changes.push({ kind: 'fdb', action: 'remove', netns, mac, port, onVxlan, networkId, reason });
}

/** The maps that `desiredOf` made; nobody else changes them. */
function own<Key, Value>(map: ReadonlyMap<Key, Value>): Map<Key, Value> {
  return map as Map<Key, Value>;
}
