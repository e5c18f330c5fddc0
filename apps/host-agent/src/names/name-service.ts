// The resolvers of this host: one a network that it takes part in. Follows the share in two steps, since names are withdrawn
// before rows go and given after rows have come.

import type { Share, ShareEndpoint, ShareNetwork } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import { address, formatAddress } from '@skein/ip';
import { Resolver } from './resolver';
import { Zone } from './zone';

export interface NameServiceOptions {
  /** This host's id: it is live as long as the agent runs, unless the share says otherwise. */
  readonly self: string;
  readonly netnsOf: (network: ShareNetwork) => string;
  readonly pathOf: (netns: string) => string;
  readonly logger: Logger;
}

interface Entry {
  network: ShareNetwork;
  zone: Zone;
  resolver: Resolver | null;
  opening: Promise<void> | null;
}

export class NameService {
  readonly #options: NameServiceOptions;
  /** By namespace. */
  readonly #entries = new Map<string, Entry>();
  #live: ReadonlySet<string> = new Set();

  constructor(options: NameServiceOptions) {
    this.#options = options;
  }

  /** Before rows go: takes back what `share` no longer has. Resolvers of networks that go are closed. */
  withdraw(share: Share): void {
    const networks = liveEndpoints(share, this.#options.self);
    const kept = new Set<string>();
    for (const { network, endpoints } of networks) {
      const netns = this.#options.netnsOf(network);
      const entry = this.#entries.get(netns);
      if (entry === undefined) continue;
      kept.add(netns);
      // An endpoint that changed is another item: its old names and addresses go first as well.
      const still = endpoints.filter((endpoint) => entry.zone.endpoints.has(endpoint));
      if (still.length !== entry.zone.endpoints.size) this.#set(netns, network, still);
    }
    for (const netns of [...this.#entries.keys()]) if (!kept.has(netns)) this.close(netns);
  }

  /** After rows have come: gives all names of `share`. */
  announce(share: Share): void {
    const { self, netnsOf } = this.#options;
    this.#live = liveHosts(share, self);
    for (const { network, endpoints } of liveEndpoints(share, self)) {
      this.#set(netnsOf(network), network, endpoints);
    }
  }

  withdrawEndpoints(endpoints: readonly ShareEndpoint[]): void {
    if (endpoints.length === 0) return;
    const zones = this.#zones();
    for (const endpoint of endpoints) zones.get(endpoint.networkId)?.remove(endpoint);
  }

  announceEndpoints(endpoints: readonly ShareEndpoint[]): void {
    if (endpoints.length === 0) return;
    const zones = this.#zones();
    for (const endpoint of endpoints) {
      if (this.#live.has(endpoint.host)) zones.get(endpoint.networkId)?.add(endpoint);
    }
  }

  /** By network. */
  #zones(): Map<string, Zone> {
    return new Map([...this.#entries.values()].map(({ network, zone }) => [network.id, zone]));
  }

  /** Opens the resolver of a network whose namespace is there; does nothing if it is open. Never rejects. */
  async open(netns: string): Promise<void> {
    const entry = this.#entries.get(netns);
    if (entry === undefined) return;
    const addresses = entry.network.subnets.map(({ gateway }) => formatAddress(address(gateway)));
    if (entry.resolver !== null && !sameList(entry.resolver.addresses, addresses)) {
      entry.resolver.close();
      entry.resolver = null;
    }
    if (entry.resolver === null) entry.opening = this.#start(entry, netns, addresses);
    await entry.opening;
  }

  /** Opens all that are not open, as after a failure. */
  async openAll(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((netns) => this.open(netns)));
  }

  /** Makes the network known, without names, so that its resolver can be opened while rows are written. */
  prepare(share: Share): void {
    for (const network of share.networks) {
      const netns = this.#options.netnsOf(network);
      if (!this.#entries.has(netns)) this.#set(netns, network, []);
    }
  }

  /** Lets go of the namespace, which is about to be made again; the network and its names stay known. */
  release(netns: string): void {
    const entry = this.#entries.get(netns);
    entry?.resolver?.close();
    if (entry !== undefined) entry.resolver = null;
  }

  /** Gives the network up with its names. */
  close(netns: string): void {
    this.#entries.get(netns)?.resolver?.close();
    this.#entries.delete(netns);
  }

  closeAll(): void {
    for (const netns of [...this.#entries.keys()]) this.close(netns);
  }

  async #start(entry: Entry, netns: string, addresses: readonly string[]): Promise<void> {
    const resolver = new Resolver(addresses);
    entry.resolver = resolver;
    resolver.zone = entry.zone;
    try {
      await resolver.open(this.#options.pathOf(netns), () => this.#forget(entry, resolver));
    } catch (thrown) {
      this.#forget(entry, resolver);
      const fault = thrown instanceof Error ? thrown.message : String(thrown);
      this.#options.logger.warn({ netns, fault }, 'resolver not opened');
    }
  }

  #forget(entry: Entry, resolver: Resolver): void {
    if (entry.resolver === resolver) entry.resolver = null;
  }

  #set(netns: string, network: ShareNetwork, endpoints: readonly ShareEndpoint[]): void {
    const entry = this.#entries.get(netns);
    if (entry?.network === network && sameItems(entry.zone.endpoints, endpoints)) return;
    const zone = new Zone(network, endpoints);
    if (entry === undefined) {
      this.#entries.set(netns, { network, zone, resolver: null, opening: null });
      return;
    }
    entry.network = network;
    entry.zone = zone;
    if (entry.resolver !== null) entry.resolver.zone = zone;
  }
}

function liveHosts({ hosts }: Share, self: string): ReadonlySet<string> {
  const live = new Set(hosts.filter((host) => host.live).map(({ id }) => id));
  if (!hosts.some(({ id }) => id === self)) live.add(self);
  return live;
}

function liveEndpoints(
  share: Share,
  self: string,
): { readonly network: ShareNetwork; readonly endpoints: ShareEndpoint[] }[] {
  const live = liveHosts(share, self);
  const byNetwork = new Map(share.networks.map(({ id }) => [id, [] as ShareEndpoint[]]));
  for (const endpoint of share.endpoints) {
    if (live.has(endpoint.host)) byNetwork.get(endpoint.networkId)?.push(endpoint);
  }
  return share.networks.map((network) => ({
    network,
    endpoints: byNetwork.get(network.id) ?? [],
  }));
}

function sameItems(
  named: ReadonlySet<ShareEndpoint>,
  endpoints: readonly ShareEndpoint[],
): boolean {
  return named.size === endpoints.length && endpoints.every((endpoint) => named.has(endpoint));
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
