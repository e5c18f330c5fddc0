// Names and numbers that the kernel asks for, derived from ids so that every life of an agent, and every host where it
// matters, arrives at the same ones. Nothing here knows what they are used for.

/** 32 bits of FNV-1a over UTF-16 units, finished as MurmurHash3 does so that similar ids land far apart. */
export function hash32(text: string, seed = 0x811c9dc5): number {
  let hash = seed >>> 0;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hexDigits(value: number, count: number): string {
  return value.toString(16).padStart(8, '0').slice(-count);
}

/** Host's end of an endpoint's veth: `v` and 48 bits, within the 15 characters of an interface name. */
export function vethName(endpointId: string): string {
  return `v${digitsOf(endpointId)}`;
}

/** The other end of an engine's endpoint, for as long as the engine has not fetched it from the host's namespace. */
export function sourceName(endpointId: string): string {
  return `s${digitsOf(endpointId)}`;
}

function digitsOf(endpointId: string): string {
  return `${hexDigits(hash32(endpointId), 8)}${hexDigits(hash32(endpointId, 0x9747b28c), 4)}`;
}

export function isVethName(name: string): boolean {
  return /^v[0-9a-f]{12}$/.test(name);
}

/** One gateway MAC a network, the same on every host; `0e` is locally administered and used for nothing else. */
export function gatewayMac(networkId: string): string {
  const digits = hexDigits(hash32(networkId), 8) + hexDigits(hash32(networkId, 0x9747b28c), 2);
  return ['0e', ...(digits.match(/../g) ?? [])].join(':');
}

/** Next-hop objects of the host namespace that are Skein's: routing protocol number and range of ids. */
export const nexthopProtocol = 83;
const firstNexthopId = 0x53000000;
/** Hosts that one cluster may meet. */
const slotsPerCluster = 1 << 14;
const clusterRanges = 1 << 9;

export interface NexthopIds {
  readonly nexthop: number;
  /** A forwarding row takes a group only, hence one of a single member for each host. */
  readonly group: number;
}

/**
 * Ids of each host's next hop and of its group: a slot from the host's id, the next free one if two hosts fall on the same.
 * Deterministic for a set of hosts, whatever their order. `cluster` tells one cluster on a host from another: the prefix of
 * its namespaces.
 */
export function nexthopIdsOf(hostIds: readonly string[], cluster: string): Map<string, NexthopIds> {
  const taken = new Set<number>();
  const ids = new Map<string, NexthopIds>();
  const first = firstIdOf(cluster);
  for (const hostId of [...hostIds].sort()) {
    let slot = hash32(hostId) % slotsPerCluster;
    while (taken.has(slot)) slot = (slot + 1) % slotsPerCluster;
    taken.add(slot);
    const nexthop = first + 2 * slot;
    ids.set(hostId, { nexthop, group: nexthop + 1 });
  }
  return ids;
}

export function isNexthopId(id: number, cluster: string): boolean {
  const first = firstIdOf(cluster);
  return id >= first && id < first + 2 * slotsPerCluster;
}

function firstIdOf(cluster: string): number {
  return firstNexthopId + 2 * slotsPerCluster * (hash32(cluster) % clusterRanges);
}
