// The part of a plan inside one network's namespace: bridge, VXLAN device, gateway addresses, ports and rows. Knows nothing of
// sandboxes: plan-sandbox.ts does.

import { type Change, type ChangeStep } from './change';
import {
  type DesiredNetwork,
  type ForwardingRow,
  bridgeName,
  everybody,
  vxlanName,
} from './desired';
import {
  type ObservedNetwork,
  type ObservedPort,
  type ObservedRow,
  type ObservedVxlan,
} from './observed';
import { isVethName } from './names';
import { planFilter } from './plan-filter';
import { probePort } from './probe';

export function planNetwork(
  desired: DesiredNetwork,
  observed: ObservedNetwork | null,
  changes: Change[],
): void {
  const { netns } = desired;
  const add = (step: ChangeStep, reason: string, follows: boolean): void => {
    const change = { ...step, networkId: desired.id, reason };
    changes.push(follows ? { ...change, follows: true } : change);
  };
  const isNew = observed === null;
  if (isNew) add({ kind: 'namespace', action: 'put', netns }, 'namespace missing', false);
  const found = observed ?? emptyNetwork(netns);
  if (found.hasDetour === true) {
    const reason = 'bridged frames pass the hooks of IP';
    add({ kind: 'detour', action: 'remove', netns }, reason, false);
  }
  if (desired.isFenced === true && found.hasGuard !== true) {
    add({ kind: 'guard', action: 'put', netns }, 'guard missing', isNew);
  }
  planFilter(desired, found, isNew, add);

  const bridgeFault = bridgeReason(desired, found.bridge);
  const isBridgeMissing = found.bridge === null;
  const isMacNew = found.bridge?.mac !== desired.gatewayMac;
  if (bridgeFault !== null) {
    const { mtu } = desired;
    const mac = isMacNew ? { mac: desired.gatewayMac } : {};
    add(
      { kind: 'bridge', action: 'put', netns, ...mac, mtu, isMissing: isBridgeMissing },
      bridgeFault,
      isNew,
    );
  }
  const replaces = found.vxlan !== null && identityReason(desired, found.vxlan) !== null;
  const isVxlanNew = found.vxlan === null || replaces;
  const vxlanFault = vxlanReason(desired, found.vxlan);
  if (vxlanFault !== null) {
    const { vni, local, vxlanPort, mtu } = desired;
    const isMissing = found.vxlan === null;
    add(
      { kind: 'vxlan', action: 'put', netns, vni, local, vxlanPort, mtu, isMissing, replaces },
      vxlanFault,
      isNew || (isBridgeMissing && found.vxlan !== null && !replaces),
    );
  }
  planProbe(desired, found, isBridgeMissing, add);
  planGateways(desired, found, isBridgeMissing, add);
  planVeths(desired, found, isBridgeMissing, add);
  planNeighbors(desired, isMacNew ? { ...found, neighbors: new Map() } : found, isMacNew, changes);
  planFlood(desired, replaces ? withoutVxlanRows(found) : found, isVxlanNew, add);
  planRows(desired, replaces ? withoutVxlanRows(found) : found, changes, (row) => {
    if (isBridgeMissing || (isVxlanNew && row.port === vxlanName)) return true;
    if (row.port === vxlanName && found.vxlan?.master !== bridgeName) return true;
    return row.vtep === null && !found.veths.has(row.port);
  });
}

function planFlood(
  { netns, flood }: DesiredNetwork,
  found: ObservedNetwork,
  follows: boolean,
  add: Add,
): void {
  const wanted = flood ?? new Set<string>();
  const known = new Set(found.fdb.get(everybody)?.vteps ?? []);
  for (const vtep of wanted) {
    if (known.has(vtep)) continue;
    add({ kind: 'flood', action: 'put', netns, vtep }, 'it has members', follows);
  }
  for (const vtep of known) {
    if (wanted.has(vtep)) continue;
    const reason = flood === undefined ? 'no multicast here' : 'it has no members';
    add({ kind: 'flood', action: 'remove', netns, vtep }, reason, false);
  }
}

type Add = (step: ChangeStep, reason: string, follows: boolean) => void;

function emptyNetwork(netns: string): ObservedNetwork {
  return {
    netns,
    bridge: null,
    vxlan: null,
    veths: new Map(),
    gateways: new Set(),
    fdb: new Map(),
    neighbors: new Map(),
  };
}

function bridgeReason(desired: DesiredNetwork, found: ObservedNetwork['bridge']): string | null {
  if (found === null) return 'bridge missing';
  if (found.mac !== desired.gatewayMac) {
    return `gateway mac ${desired.gatewayMac} wanted, ${found.mac} found`;
  }
  if (found.mtu !== desired.mtu) return `bridge mtu ${desired.mtu} wanted, ${found.mtu} found`;
  return found.isUp ? null : 'bridge down';
}

/** What can't be changed on a device that is there. */
function identityReason(desired: DesiredNetwork, found: ObservedVxlan): string | null {
  if (found.vni !== desired.vni) return `vni ${desired.vni} wanted, ${found.vni} found`;
  if (found.local !== desired.local) return `local ${desired.local} wanted, ${found.local} found`;
  if (found.vxlanPort !== desired.vxlanPort) {
    return `port ${desired.vxlanPort} wanted, ${found.vxlanPort} found`;
  }
  return found.macLearning ? 'learning off wanted, on found' : null;
}

function vxlanReason(desired: DesiredNetwork, found: ObservedVxlan | null): string | null {
  if (found === null) return 'vxlan device missing';
  return identityReason(desired, found) ?? portReason(found, desired.mtu, true);
}

function portReason(found: ObservedPort, mtu: number, neighSuppress: boolean): string | null {
  if (found.mtu !== mtu) return `mtu ${mtu} wanted, ${found.mtu} found`;
  if (found.master !== bridgeName) {
    return `port of ${bridgeName} wanted, of ${found.master ?? 'none'} found`;
  }
  if (found.learning) return 'learning off wanted, on found';
  if (found.flood) return 'flood off wanted, on found';
  if (found.neighSuppress !== neighSuppress) return `neighbor suppression ${neighSuppress} wanted`;
  return found.isUp ? null : 'port down';
}

function planProbe(
  { netns, mtu, probe, sources }: DesiredNetwork,
  found: ObservedNetwork,
  follows: boolean,
  add: Add,
): void {
  if (probe === undefined) return;
  const { mac, address } = probe;
  const known = found.probe;
  if (known?.mac === mac && known.address === address && known.mtu === mtu) return;
  const reason = known === undefined ? 'probe missing' : 'probe is not as it should be';
  add({ kind: 'probe', action: 'put', netns, mac, address, mtu }, reason, follows);
  // What may come out of it, and its row, go with the port.
  const source = sources?.get(probePort);
  if (source !== undefined) {
    add({ kind: 'source', action: 'put', netns, source }, 'port is new', true);
  }
  const row = { port: probePort, vtep: null, replaces: false };
  add({ kind: 'fdb', action: 'put', netns, mac, ...row }, 'port is new', true);
}

function planGateways(
  { netns, gateways }: DesiredNetwork,
  found: ObservedNetwork,
  follows: boolean,
  add: Add,
): void {
  const wanted = new Set(gateways);
  for (const address of wanted) {
    if (found.gateways.has(address)) continue;
    add({ kind: 'gateway', action: 'put', netns, address }, 'gateway address missing', follows);
  }
  for (const address of found.gateways) {
    if (wanted.has(address)) continue;
    add({ kind: 'gateway', action: 'remove', netns, address }, 'not a gateway here', false);
  }
}

function planVeths(
  { netns, endpoints }: DesiredNetwork,
  found: ObservedNetwork,
  follows: boolean,
  add: Add,
): void {
  const wanted = new Set(endpoints.map(({ veth }) => veth));
  for (const { veth, mtu } of endpoints) {
    const port = found.veths.get(veth);
    const reason = port === undefined ? null : portReason(port, mtu, false);
    if (reason !== null) add({ kind: 'port', action: 'put', netns, veth, mtu }, reason, follows);
  }
  for (const veth of found.veths.keys()) {
    if (wanted.has(veth) || !isVethName(veth)) continue;
    add({ kind: 'veth', action: 'remove', netns, veth }, 'no endpoint here uses it', false);
  }
}

function planNeighbors(
  { id: networkId, netns, neighbors }: DesiredNetwork,
  found: ObservedNetwork,
  follows: boolean,
  changes: Change[],
): void {
  const kind = 'neighbor';
  // Written out field by field, here and for rows: a host that comes back makes ten thousands of them before anything is compiled.
  for (const [address, mac] of neighbors) {
    const known = found.neighbors.get(address);
    if (known === mac) continue;
    const reason = known === undefined ? 'row missing' : `${mac} wanted, ${known} found`;
    if (follows) {
      changes.push({ kind, action: 'put', netns, address, mac, networkId, reason, follows });
    } else changes.push({ kind, action: 'put', netns, address, mac, networkId, reason });
  }
  const reason = 'no endpoint has it';
  for (const address of found.neighbors.keys()) {
    if (neighbors.has(address)) continue;
    changes.push({ kind, action: 'remove', netns, address, networkId, reason });
  }
}

function planRows(
  desired: DesiredNetwork,
  found: ObservedNetwork,
  changes: Change[],
  doesFollow: (row: ForwardingRow) => boolean,
): void {
  const { id: networkId, netns } = desired;
  const kind = 'fdb';
  for (const [mac, row] of desired.fdb) {
    const known = found.fdb.get(mac);
    const reason = rowReason(row, known);
    if (reason === null) continue;
    const { port, vtep } = row;
    // A local row waits for its port: without the sandbox there is no veth, and nothing to forward to.
    if (vtep === null && !found.veths.has(port)) {
      const isElsewhere = known !== undefined && known.vteps.length > 0;
      if (isElsewhere) removeRow(desired, mac, known, 'its endpoint is here', changes);
      continue;
    }
    const replaces = known !== undefined && !turnsInto(known.vteps, vtep);
    const follows = doesFollow(row);
    if (follows) {
      changes.push({
        kind,
        action: 'put',
        netns,
        mac,
        port,
        vtep,
        replaces,
        networkId,
        reason,
        follows,
      });
    } else
      changes.push({ kind, action: 'put', netns, mac, port, vtep, replaces, networkId, reason });
  }
  for (const [mac, known] of found.fdb) {
    if (desired.fdb.has(mac) || mac === everybody) continue;
    removeRow(desired, mac, known, 'no endpoint has it', changes);
  }
}

function removeRow(
  { id: networkId, netns }: DesiredNetwork,
  mac: string,
  { port, vteps }: ObservedRow,
  reason: string,
  changes: Change[],
): void {
  const onVxlan = vteps.length > 0;
  changes.push({ kind: 'fdb', action: 'remove', netns, mac, port, onVxlan, networkId, reason });
}

function rowReason(wanted: ForwardingRow, known: ObservedRow | undefined): string | null {
  if (known === undefined) return 'row missing';
  const { vteps } = known;
  if (wanted.vtep === null ? vteps.length > 0 : vteps.length > 1 || vteps[0] !== wanted.vtep) {
    if (vteps.length === 0) return 'row of the vxlan device missing';
    return `vtep ${wanted.vtep ?? 'none'} wanted, ${vteps.join(', ')} found`;
  }
  if (known.port === wanted.port) return null;
  return known.port === null
    ? 'row of the bridge missing'
    : `port ${wanted.port} wanted, ${known.port} found`;
}

/** The kernel replaces a row's one VTEP in place. Over a group it says that it did, and does nothing. */
function turnsInto(found: readonly string[], vtep: string | null): boolean {
  const [first] = found;
  if (first === undefined) return true;
  return vtep !== null && found.length === 1 && !first.includes(' ');
}

/** Replacing the device takes its rows away, and the bridge's rows that lead out of it. */
function withoutVxlanRows(found: ObservedNetwork): ObservedNetwork {
  const fdb = new Map<string, ObservedRow>();
  for (const [mac, row] of found.fdb) {
    const port = row.port === vxlanName ? null : row.port;
    if (port !== null) fdb.set(mac, { port, vteps: [] });
  }
  return { ...found, fdb };
}
