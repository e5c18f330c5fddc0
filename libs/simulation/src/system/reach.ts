// Whether a packet finds its way from one container to another, judged by the kernels alone: rows, devices, guards. It must not
// know what is committed, nor what anybody believes.

import { vxlanName } from '@skein/vxlan';
import { bare } from './committed';
import type { KernelNetwork, SimulatedKernel } from './kernel';

/** A container's interface: where it is plugged in. */
export interface Plugged {
  readonly host: string;
  readonly netns: string;
  readonly veth: string;
  readonly sandbox: string;
  readonly mac: string;
  /** With prefix length. */
  readonly addresses: readonly string[];
}

export interface KernelPlace {
  readonly id: string;
  readonly vtep: string;
  readonly kernel: SimulatedKernel;
}

/** All interfaces through which a container on this host would answer. */
export function pluggedOn({ id: host, kernel }: KernelPlace): Plugged[] {
  const ends = new Map<number, { sandbox: string; mac: string; addresses: readonly string[] }>();
  for (const [sandbox, { interfaces }] of kernel.sandboxes) {
    for (const { index, mac, addresses, isUp } of interfaces.values()) {
      if (isUp) ends.set(index, { sandbox, mac, addresses });
    }
  }
  const found: Plugged[] = [];
  for (const [netns, network] of kernel.networks) {
    for (const [veth, { peerIndex }] of network.veths) {
      const end = ends.get(peerIndex);
      if (end !== undefined) found.push({ host, netns, veth, ...end });
    }
  }
  return found;
}

/** Null if the packet arrives; else where it is lost. */
export function lostBetween(
  hosts: ReadonlyMap<string, KernelPlace>,
  from: Plugged,
  to: Plugged,
): string | null {
  const source = hosts.get(from.host);
  const network = source?.kernel.networks.get(from.netns);
  if (source === undefined || network === undefined) return `${from.host} has no namespace`;
  if (!source.kernel.isHeard(from.netns, from.veth)) return `${from.host} keeps the sender silent`;
  const ground = groundFault(network, from.veth);
  if (ground !== null) return `${from.host}: ${ground}`;
  const row = network.fdb.get(to.mac);
  if (row === undefined) return `${from.host} has no row for ${to.mac}`;
  if (from.host === to.host) {
    if (row.port !== to.veth) return `${from.host} sends ${to.mac} to ${row.port ?? 'nobody'}`;
    if (!source.kernel.isHeard(to.netns, to.veth)) return `${to.host} keeps the receiver silent`;
    return groundFault(network, to.veth);
  }
  if (!source.kernel.isHeard(from.netns, vxlanName)) return `${from.host} keeps its tunnel silent`;
  const unknown = to.addresses.map(bare).find((each) => network.neighbors.get(each) !== to.mac);
  if (unknown !== undefined) return `${from.host} has no neighbor ${unknown}`;
  const [vtep] = row.vteps;
  if (row.port !== vxlanName || vtep === undefined) return `${from.host} keeps ${to.mac} local`;
  const target = hosts.get(to.host);
  if (vtep !== target?.vtep) return `${from.host} sends ${to.mac} to ${vtep}`;
  return deliveryFault(network, target, to);
}

function deliveryFault(source: KernelNetwork, target: KernelPlace, to: Plugged): string | null {
  const network = target.kernel.networks.get(to.netns);
  if (network === undefined) return `${to.host} has no namespace`;
  if (source.vxlan === null || !source.vxlan.isUp) return 'the source has no tunnel';
  if (network.vxlan === null || network.vxlan.vni !== source.vxlan.vni) {
    return `${to.host} has no tunnel of this vni`;
  }
  for (const port of [vxlanName, to.veth]) {
    if (!target.kernel.isHeard(to.netns, port)) return `${to.host} keeps ${port} silent`;
  }
  const row = network.fdb.get(to.mac);
  if (row?.port !== to.veth) return `${to.host} has no row for ${to.mac}`;
  const fault = groundFault(network, to.veth);
  return fault === null ? null : `${to.host}: ${fault}`;
}

function groundFault(network: KernelNetwork, veth: string): string | null {
  if (network.bridge === null || !network.bridge.isUp) return 'the bridge is down';
  const port = network.veths.get(veth);
  if (port === undefined) return `${veth} is gone`;
  return port.isUp ? null : `${veth} is down`;
}
