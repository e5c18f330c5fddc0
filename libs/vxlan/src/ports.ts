// Ports of an engine's endpoints on the short way: one comes with its row and with what may be sent from it, and goes with them.
// Only changeRows uses it; what the desired state holds is changed in place.

import type { Change } from './change';
import {
  pluggedEndpoint,
  sourceOfEndpoint,
  type DesiredEndpoint,
  type DesiredNetwork,
  type ForwardingRow,
  type OverlayEndpoint,
} from './desired';
import { pluggedFor } from './plan-sandbox';
import type { Source } from './sources';

/** What has been done to one network's ports. */
export interface Ports {
  readonly network: DesiredNetwork;
  /** Rows as they were, by MAC. */
  readonly rows: Map<string, ForwardingRow | undefined>;
  readonly steps: Change[];
}

/** Whether nothing in the kernel differs: the engine has only told more of it. */
export function isSamePort(before: OverlayEndpoint, after: OverlayEndpoint): boolean {
  return (
    before.networkId === after.networkId &&
    before.mac === after.mac &&
    before.addresses.join() === after.addresses.join()
  );
}

export function takePort({ network, rows, steps }: Ports, endpoint: OverlayEndpoint) {
  const at = network.endpoints.findIndex(({ id }) => id === endpoint.id);
  const known = network.endpoints[at];
  if (known === undefined) return;
  (network.endpoints as DesiredEndpoint[]).splice(at, 1);
  if (!rows.has(known.mac)) rows.set(known.mac, network.fdb.get(known.mac));
  (network.fdb as Map<string, ForwardingRow>).delete(known.mac);
  const { netns, id: networkId } = network;
  const { veth } = known;
  const reason = 'no endpoint here uses it';
  steps.push({ kind: 'veth', action: 'remove', netns, veth, networkId, reason });
  if (network.sources === undefined) return;
  (network.sources as Map<string, Source>).delete(veth);
  steps.push({ kind: 'source', action: 'remove', netns, port: veth, networkId, reason });
}

export function bringPort({ network, rows, steps }: Ports, endpoint: OverlayEndpoint) {
  for (const plugged of pluggedEndpoint(network, endpoint)) {
    (network.endpoints as DesiredEndpoint[]).push(plugged);
    const { mac, veth } = plugged;
    if (!rows.has(mac)) rows.set(mac, network.fdb.get(mac));
    (network.fdb as Map<string, ForwardingRow>).set(mac, { port: veth, vtep: null });
    if (network.sources !== undefined) {
      (network.sources as Map<string, Source>).set(veth, sourceOfEndpoint(plugged));
    }
    steps.push(...pluggedFor(network, plugged, false));
  }
}

/** Where its other end is has become known. */
export function movePort({ network }: Ports, endpoint: OverlayEndpoint): void {
  const at = network.endpoints.findIndex(({ id }) => id === endpoint.id);
  const [plugged] = pluggedEndpoint(network, endpoint);
  if (at >= 0 && plugged !== undefined) (network.endpoints as DesiredEndpoint[])[at] = plugged;
}
