// Ports of an engine's endpoints on the short way: one comes with its row and with what may be sent from it, and goes with them.
// Only changeRows uses it; what the desired state holds is changed in place.

import type { Change } from './change';
import {
  pluggedEndpoint,
  sourcesOfEndpoint,
  type DesiredEndpoint,
  type DesiredNetwork,
  type ForwardingRow,
  type OverlayEndpoint,
} from './desired';
import { pluggedFor } from './plan-sandbox';
import { sourceKey, type Source } from './sources';

/** What has been done to one network's ports. */
export interface Ports {
  readonly network: DesiredNetwork;
  /** Rows as they were, by MAC. */
  readonly rows: Map<string, ForwardingRow | undefined>;
  /** Sources as they were, by key. */
  readonly sources: Map<string, { readonly source: Source; readonly wasThere: boolean }>;
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

export function takePort({ network, rows, sources, steps }: Ports, endpoint: OverlayEndpoint) {
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
  for (const source of sourcesOfEndpoint(known)) {
    const key = sourceKey(source);
    if (!sources.has(key)) sources.set(key, { source, wasThere: network.sources.has(key) });
    (network.sources as Map<string, Source>).delete(key);
  }
}

export function bringPort({ network, rows, sources, steps }: Ports, endpoint: OverlayEndpoint) {
  for (const plugged of pluggedEndpoint(network, endpoint)) {
    (network.endpoints as DesiredEndpoint[]).push(plugged);
    const { mac, veth } = plugged;
    if (!rows.has(mac)) rows.set(mac, network.fdb.get(mac));
    (network.fdb as Map<string, ForwardingRow>).set(mac, { port: veth, vtep: null });
    steps.push(...pluggedFor(network, plugged, false));
    if (network.sources === undefined) continue;
    for (const source of sourcesOfEndpoint(plugged)) {
      const key = sourceKey(source);
      if (!sources.has(key)) sources.set(key, { source, wasThere: network.sources.has(key) });
      (network.sources as Map<string, Source>).set(key, source);
    }
  }
}

/** Where its other end is has become known. */
export function movePort({ network }: Ports, endpoint: OverlayEndpoint): void {
  const at = network.endpoints.findIndex(({ id }) => id === endpoint.id);
  const [plugged] = pluggedEndpoint(network, endpoint);
  if (at >= 0 && plugged !== undefined) (network.endpoints as DesiredEndpoint[])[at] = plugged;
}

export function addPortChanges({ network, sources, steps }: Ports, changes: Change[]): void {
  const { netns, id: networkId } = network;
  const kind = 'source';
  changes.push(...steps);
  for (const [key, { source, wasThere }] of sources) {
    const isThere = network.sources?.has(key) === true;
    if (isThere === wasThere) continue;
    const action = isThere ? 'put' : 'remove';
    const reason = isThere ? 'not let in' : 'no endpoint here sends from it';
    changes.push({ kind, action, netns, source, networkId, reason });
  }
}
