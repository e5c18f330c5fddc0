// Which bridge ports of a fenced network may be heard, from the share alone. How a guard lets them, and for how long, is
// the kernel's and the agent's business.

import { vxlanName, type OverlayShare } from './desired';
import { vethName } from './names';
import { probePort } from './probe';

export interface GuardedNetwork {
  readonly netns: string;
  /** The device to other hosts and the ports of this host's endpoints. */
  readonly ports: readonly string[];
}

/** All fenced networks of the share, with the endpoints that it says this host has, and no others. */
export function guardedNetworks(
  share: OverlayShare,
  self: string,
  netnsPrefix: string,
): GuardedNetwork[] {
  const fenced = share.networks.filter(({ onHostLoss }) => onHostLoss === 'fence');
  if (fenced.length === 0) return [];
  const ports = new Map(fenced.map(({ id }) => [id, [vxlanName, probePort]]));
  for (const { id, networkId, host, sandbox, engine } of share.endpoints) {
    const hasPort = sandbox !== undefined || engine !== undefined;
    if (host === self && hasPort) ports.get(networkId)?.push(vethName(id));
  }
  return fenced.map(({ id, vni }) => ({
    netns: `${netnsPrefix}${vni}`,
    ports: ports.get(id) ?? [],
  }));
}
