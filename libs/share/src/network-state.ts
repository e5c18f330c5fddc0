// One network within the committed state: its record, endpoints and the hosts that take part, with running hashes.

import {
  addHash,
  canonicalJson,
  hashEndpoint,
  hashNetwork,
  subtractHash,
  zeroHash,
} from './digest';
import type { Hash } from './digest';
import type { EndpointFact, HostFact, NetworkFact, SharedNetwork } from './facts';
import { networkMtu, sharedEndpoint, sharedNetwork } from './items';

/** Stands for no host: an endpoint seen by it carries no sandbox. */
const elsewhere = '';

export class NetworkState<Network extends NetworkFact, Endpoint extends EndpointFact> {
  record: Network | undefined;
  readonly endpoints = new Map<string, Endpoint>();
  /** Number of endpoints by host. Invariant: no count is zero. */
  readonly participants = new Map<string, number>();
  /** The network as shares show it; absent while there is no record. */
  shared: SharedNetwork | undefined;
  networkHash: Hash = zeroHash;
  /** Sum over all endpoints, without sandboxes. */
  endpointsHash: Hash = zeroHash;

  /** True if `hostId` takes part only from now on. */
  add(endpoint: Endpoint): boolean {
    this.endpoints.set(endpoint.id, endpoint);
    this.endpointsHash = addHash(this.endpointsHash, foreignHash(endpoint));
    const count = this.participants.get(endpoint.host) ?? 0;
    this.participants.set(endpoint.host, count + 1);
    return count === 0;
  }

  /** True if the endpoint's host takes part no more. */
  remove(endpoint: Endpoint): boolean {
    this.endpoints.delete(endpoint.id);
    this.endpointsHash = subtractHash(this.endpointsHash, foreignHash(endpoint));
    const count = this.participants.get(endpoint.host) ?? 0;
    if (count > 1) this.participants.set(endpoint.host, count - 1);
    else this.participants.delete(endpoint.host);
    return count <= 1;
  }

  /** Derives the shared item anew; true if it differs from before. */
  refresh(hostOf: (hostId: string) => HostFact | undefined): boolean {
    const hosts: HostFact[] = [];
    for (const hostId of this.participants.keys()) {
      const host = hostOf(hostId);
      if (host !== undefined) hosts.push(host);
    }
    const before = this.shared;
    this.shared = this.record && sharedNetwork(this.record, networkMtu(this.record, hosts));
    if (canonicalJson(before) === canonicalJson(this.shared)) return false;
    this.networkHash = this.shared === undefined ? zeroHash : hashNetwork(this.shared);
    return true;
  }

  get isEmpty(): boolean {
    return this.record === undefined && this.endpoints.size === 0;
  }
}

export function foreignHash(endpoint: EndpointFact): Hash {
  return hashEndpoint(sharedEndpoint(endpoint, elsewhere));
}

/** What the endpoint's own host adds to its digest for knowing the sandbox as well. */
export function sandboxHash(endpoint: EndpointFact): Hash {
  if (endpoint.sandbox === undefined && endpoint.engine === undefined) return zeroHash;
  return subtractHash(hashEndpoint(sharedEndpoint(endpoint, endpoint.host)), foreignHash(endpoint));
}
