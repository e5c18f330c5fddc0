// The committed state as far as shares go, with indices, so that one changed endpoint costs what it touches and never
// the whole. It tells for every step which hosts' shares it touched. Knows no revision: the caller applies them in order.

import { addHash, canonicalJson, hashToHex, subtractHash, type Hash } from './digest';
import type { EndpointFact, HostFact, NetworkFact, Share, ShareDelta } from './facts';
import { emptyDelta, emptyShare } from './facts';
import { HostState } from './host-state';
import { sharedEndpoint, sharedHost } from './items';
import { NetworkState, sandboxHash } from './network-state';
import { TouchedByHost, type Touched } from './touched';

/** One record as it is from now on; null: it is gone. */
export type StateChange<
  Network extends NetworkFact = NetworkFact,
  Host extends HostFact = HostFact,
  Endpoint extends EndpointFact = EndpointFact,
> =
  | { readonly kind: 'network'; readonly id: string; readonly record: Network | null }
  | { readonly kind: 'host'; readonly id: string; readonly record: Host | null }
  | { readonly kind: 'endpoint'; readonly id: string; readonly record: Endpoint | null };

export class CommittedState<
  Network extends NetworkFact = NetworkFact,
  Host extends HostFact = HostFact,
  Endpoint extends EndpointFact = EndpointFact,
> {
  readonly #networks = new Map<string, NetworkState<Network, Endpoint>>();
  readonly #hosts = new Map<string, HostState<Host>>();
  readonly #endpoints = new Map<string, Endpoint>();

  network(id: string): Network | undefined {
    return this.#networks.get(id)?.record;
  }

  host(id: string): Host | undefined {
    return this.#hosts.get(id)?.record;
  }

  endpoint(id: string): Endpoint | undefined {
    return this.#endpoints.get(id);
  }

  networks(): Network[] {
    return [...this.#networks.values()].flatMap(({ record }) => record ?? []);
  }

  hosts(): Host[] {
    return [...this.#hosts.values()].flatMap(({ record }) => record ?? []);
  }

  endpoints(): IterableIterator<Endpoint> {
    return this.#endpoints.values();
  }

  endpointsOf(networkId: string): ReadonlyMap<string, Endpoint> {
    return this.#networks.get(networkId)?.endpoints ?? new Map();
  }

  /** Hosts with an endpoint on the network, and how many they have. */
  participantsOf(networkId: string): ReadonlyMap<string, number> {
    return this.#networks.get(networkId)?.participants ?? new Map();
  }

  networksOf(hostId: string): ReadonlySet<string> {
    return this.#hosts.get(hostId)?.networks ?? new Set();
  }

  /** Applies the changes in order and answers what they touched, by host. A host that is not in it needs no push. */
  apply(changes: Iterable<StateChange<Network, Host, Endpoint>>): ReadonlyMap<string, Touched> {
    const touched = new TouchedByHost();
    for (const change of changes) {
      switch (change.kind) {
        case 'network':
          this.#putNetwork(change.id, change.record ?? undefined, touched);
          break;
        case 'host':
          this.#putHost(change.id, change.record ?? undefined, touched);
          break;
        case 'endpoint':
          this.#putEndpoint(change.id, change.record ?? undefined, touched);
          break;
      }
    }
    return touched.byHost;
  }

  shareOf(hostId: string): Share {
    const share = emptyShare();
    for (const id of this.#visibleHosts(hostId)) {
      const record = this.host(id);
      if (record !== undefined) share.hosts.push(sharedHost(record));
    }
    for (const networkId of this.networksOf(hostId)) {
      const network = this.#networkState(networkId);
      if (network.shared !== undefined) share.networks.push(network.shared);
      for (const endpoint of network.endpoints.values()) {
        share.endpoints.push(sharedEndpoint(endpoint, hostId));
      }
    }
    return share;
  }

  /**
   * The touched items as the host sees them now: put, or removed where they concern it no more. Fits on top of any
   * state of the host since which nothing but `touched` was touched.
   */
  deltaOf(hostId: string, touched: Touched): ShareDelta {
    const delta = emptyDelta();
    const { put, removed } = delta;
    const own = this.#hosts.get(hostId);
    for (const id of touched.hosts) {
      const record = id === hostId || own?.met.has(id) ? this.host(id) : undefined;
      if (record === undefined) removed.hosts.push(id);
      else put.hosts.push(sharedHost(record));
    }
    for (const id of touched.networks) {
      const shared = own?.networks.has(id) ? this.#networks.get(id)?.shared : undefined;
      if (shared === undefined) removed.networks.push(id);
      else put.networks.push(shared);
    }
    for (const id of touched.endpoints) {
      const record = this.#endpoints.get(id);
      if (record === undefined || !own?.networks.has(record.networkId)) removed.endpoints.push(id);
      else put.endpoints.push(sharedEndpoint(record, hostId));
    }
    return delta;
  }

  /** Same text as `digestOf(shareOf(hostId))`, without looking at endpoints. */
  digestOf(hostId: string): string {
    const own = this.#hosts.get(hostId);
    if (own === undefined) return hashToHex({ high: 0, low: 0 });
    let sum: Hash = own.sandboxesHash;
    for (const id of this.#visibleHosts(hostId)) {
      const other = this.#hosts.get(id);
      if (other !== undefined) sum = addHash(sum, other.hash);
    }
    for (const networkId of own.networks) {
      const network = this.#networkState(networkId);
      sum = addHash(addHash(sum, network.networkHash), network.endpointsHash);
    }
    return hashToHex(sum);
  }

  #putNetwork(id: string, record: Network | undefined, touched: TouchedByHost): void {
    const network = this.#networkState(id);
    network.record = record;
    this.#refreshNetwork(id, touched);
    if (network.isEmpty) this.#networks.delete(id);
  }

  #putHost(id: string, record: Host | undefined, touched: TouchedByHost): void {
    const host = this.#hostState(id);
    const before = host.record && sharedHost(host.record);
    host.record = record;
    if (canonicalJson(before) !== canonicalJson(record && sharedHost(record))) {
      touched.touch(id, 'hosts', id);
      for (const other of host.met.keys()) touched.touch(other, 'hosts', id);
    }
    for (const networkId of host.networks) this.#refreshNetwork(networkId, touched);
    if (host.isEmpty) this.#hosts.delete(id);
  }

  #putEndpoint(id: string, record: Endpoint | undefined, touched: TouchedByHost): void {
    const before = this.#endpoints.get(id);
    const stays = record?.host === before?.host && record?.networkId === before?.networkId;
    if (before !== undefined && record !== undefined && stays) {
      this.#replaceEndpoint(before, record, touched);
      return;
    }
    if (before !== undefined) this.#removeEndpoint(before, touched);
    if (record !== undefined) this.#addEndpoint(record, touched);
  }

  #replaceEndpoint(before: Endpoint, after: Endpoint, touched: TouchedByHost): void {
    const network = this.#networkState(after.networkId);
    network.add(after);
    network.remove(before);
    network.endpoints.set(after.id, after);
    this.#endpoints.set(after.id, after);
    const host = this.#hostState(after.host);
    const without = subtractHash(host.sandboxesHash, sandboxHash(before));
    host.sandboxesHash = addHash(without, sandboxHash(after));
    for (const hostId of network.participants.keys()) touched.touch(hostId, 'endpoints', after.id);
  }

  #addEndpoint(endpoint: Endpoint, touched: TouchedByHost): void {
    const { id, networkId, host: hostId } = endpoint;
    const network = this.#networkState(networkId);
    const host = this.#hostState(hostId);
    this.#endpoints.set(id, endpoint);
    host.sandboxesHash = addHash(host.sandboxesHash, sandboxHash(endpoint));
    if (network.add(endpoint)) this.#join(hostId, networkId, touched);
    for (const other of network.participants.keys()) touched.touch(other, 'endpoints', id);
  }

  #removeEndpoint(endpoint: Endpoint, touched: TouchedByHost): void {
    const { id, networkId, host: hostId } = endpoint;
    const network = this.#networkState(networkId);
    const host = this.#hostState(hostId);
    for (const other of network.participants.keys()) touched.touch(other, 'endpoints', id);
    this.#endpoints.delete(id);
    host.sandboxesHash = subtractHash(host.sandboxesHash, sandboxHash(endpoint));
    if (network.remove(endpoint)) this.#leave(hostId, networkId, touched);
    if (network.isEmpty) this.#networks.delete(networkId);
    if (host.isEmpty) this.#hosts.delete(hostId);
  }

  #join(hostId: string, networkId: string, touched: TouchedByHost): void {
    const host = this.#hostState(hostId);
    const network = this.#networkState(networkId);
    host.networks.add(networkId);
    touched.touch(hostId, 'networks', networkId);
    for (const endpointId of network.endpoints.keys()) {
      touched.touch(hostId, 'endpoints', endpointId);
    }
    for (const other of network.participants.keys()) {
      if (other === hostId) continue;
      if (host.meet(other)) touched.touch(hostId, 'hosts', other);
      if (this.#hostState(other).meet(hostId)) touched.touch(other, 'hosts', hostId);
    }
    this.#refreshNetwork(networkId, touched);
  }

  #leave(hostId: string, networkId: string, touched: TouchedByHost): void {
    const host = this.#hostState(hostId);
    const network = this.#networkState(networkId);
    host.networks.delete(networkId);
    touched.touch(hostId, 'networks', networkId);
    for (const endpointId of network.endpoints.keys()) {
      touched.touch(hostId, 'endpoints', endpointId);
    }
    for (const other of network.participants.keys()) {
      if (host.part(other)) touched.touch(hostId, 'hosts', other);
      if (this.#hostState(other).part(hostId)) touched.touch(other, 'hosts', hostId);
    }
    this.#refreshNetwork(networkId, touched);
  }

  #refreshNetwork(networkId: string, touched: TouchedByHost): void {
    const network = this.#networkState(networkId);
    if (!network.refresh((hostId) => this.host(hostId))) return;
    for (const hostId of network.participants.keys()) touched.touch(hostId, 'networks', networkId);
  }

  #visibleHosts(hostId: string): string[] {
    return [hostId, ...(this.#hosts.get(hostId)?.met.keys() ?? [])];
  }

  #networkState(id: string): NetworkState<Network, Endpoint> {
    let network = this.#networks.get(id);
    if (network === undefined) this.#networks.set(id, (network = new NetworkState()));
    return network;
  }

  #hostState(id: string): HostState<Host> {
    let host = this.#hosts.get(id);
    if (host === undefined) this.#hosts.set(id, (host = new HostState()));
    return host;
  }
}
