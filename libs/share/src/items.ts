// From committed records to a share's items. The sandbox of an endpoint and its engine are its own host's business alone (P5).

import type {
  EndpointFact,
  HostFact,
  NetworkFact,
  SharedEndpoint,
  SharedHost,
  SharedNetwork,
} from './facts';

/** What VXLAN adds to a frame's IP packet: inner Ethernet 14, VXLAN 8, UDP 8 and the outer IP header, in bytes. */
export const overheadBytes = { ipv4: 50, ipv6: 70 } as const;

/** Overlay MTU while no host takes part: an IPv4 underlay of 1500. */
export const defaultOverlayMtu = 1_450;

/** Largest packet a host can carry inside the overlay. */
export function overlayMtuOf(host: HostFact): number {
  return host.underlayMtu - (host.vtep.includes(':') ? overheadBytes.ipv6 : overheadBytes.ipv4);
}

/** The network's own MTU, else the smallest that every host taking part can carry. */
export function networkMtu(network: NetworkFact, hosts: Iterable<HostFact>): number {
  if (network.mtu !== undefined) return network.mtu;
  let smallest = Infinity;
  for (const host of hosts) smallest = Math.min(smallest, overlayMtuOf(host));
  return smallest === Infinity ? defaultOverlayMtu : smallest;
}

export function sharedHost(host: HostFact): SharedHost {
  return { id: host.id, vtep: host.vtep, live: host.state === 'up' };
}

export function sharedNetwork(network: NetworkFact, mtu: number): SharedNetwork {
  const { id, name, vni, internal, subnets, onHostLoss, multicast } = network;
  return {
    ...{ id, name, vni, mtu, internal, subnets },
    ...(onHostLoss === 'fence' ? { onHostLoss } : {}),
    ...(multicast === true ? { multicast } : {}),
  };
}

/** `hostId` is the host whose share it goes into. */
export function sharedEndpoint(endpoint: EndpointFact, hostId: string): SharedEndpoint {
  const { id, networkId, host, name, aliases, service, addresses, mac } = endpoint;
  const { sandbox, engine } = endpoint;
  const item: SharedEndpoint = { id, networkId, host, name, aliases, addresses, mac };
  if (service !== undefined) item.service = service;
  if (sandbox !== undefined && host === hostId) item.sandbox = sandbox;
  if (engine !== undefined && host === hostId) item.engine = engine;
  return item;
}
