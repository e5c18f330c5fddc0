// The resolvers of this host: one a network that it takes part in, and one for who is on none. Follows the share in two steps, since names are withdrawn
// before rows go and given after rows have come.

import type { Share, ShareEndpoint, ShareNetwork } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import { address, formatAddress } from '@skein/ip';
import { resolverAddress, Zone, type View } from '@skein/names';
import { Resolver } from './resolver';
import { Responder, type Elsewhere } from './responder';

export interface NameServiceOptions {
  /** This host's id: it is live as long as the agent runs, unless the share says otherwise. */
  readonly self: string;
  readonly netnsOf: (network: ShareNetwork) => string;
  readonly pathOf: (netns: string) => string;
  /** Who is asked for what no network here knows. */
  readonly elsewhere: Elsewhere;
  readonly logger: Logger;
}

const ownNetns = '/proc/self/ns/net';

interface Entry {
  network: ShareNetwork;
  zone: Zone<ShareEndpoint>;
  resolver: Resolver | null;
  opening: Promise<void> | null;
}

export class NameService {
  readonly #options: NameServiceOptions;
  /** By namespace. */
  readonly #entries = new Map<string, Entry>();
  #live: ReadonlySet<string> = new Set();
  readonly #responder: Responder;
  /** In the host's own namespace; null: not wanted, or not open. */
  #host: Resolver | null = null;
  #wantsHost = false;

  constructor(options: NameServiceOptions) {
    this.#options = options;
    this.#responder = new Responder(options.elsewhere);
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
  #zones(): Map<string, Zone<ShareEndpoint>> {
    return new Map([...this.#entries.values()].map(({ network, zone }) => [network.id, zone]));
  }

  /** Opens the resolver of a network whose namespace is there; does nothing if it is open. Never rejects. */
  async open(netns: string): Promise<void> {
    const entry = this.#entries.get(netns);
    if (entry === undefined) return;
    const gateways = entry.network.subnets.map(({ gateway }) => formatAddress(address(gateway)));
    const addresses = [...gateways, resolverAddress];
    if (entry.resolver !== null && !sameList(entry.resolver.addresses, addresses)) {
      entry.resolver.close();
      entry.resolver = null;
    }
    if (entry.resolver === null) entry.opening = this.#start(entry, netns, addresses);
    await entry.opening;
  }

  /** Opens all that are not open, as after a failure. */
  async openAll(): Promise<void> {
    const opening = [...this.#entries.keys()].map((netns) => this.open(netns));
    await Promise.all([...opening, ...(this.#wantsHost ? [this.openHost()] : [])]);
  }

  /**
   * The resolver in the host's own namespace, for containers on none of its networks and for engines that ask from there. The
   * address must be there. Never rejects; what failed is tried again with the others.
   */
  async openHost(): Promise<void> {
    this.#wantsHost = true;
    if (this.#host !== null) return;
    const resolver = new Resolver([resolverAddress], (message, via) =>
      this.#responder.respond(message, via, this.#viewOfHost()),
    );
    this.#host = resolver;
    const forget = (): void => {
      if (this.#host === resolver) this.#host = null;
    };
    try {
      await resolver.open(ownNetns, forget);
    } catch (thrown) {
      forget();
      this.#options.logger.warn({ fault: String(thrown) }, 'resolver of the host not opened');
    }
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
    this.#wantsHost = false;
    this.#host?.close();
    this.#host = null;
  }

  async #start(entry: Entry, netns: string, addresses: readonly string[]): Promise<void> {
    const resolver = new Resolver(addresses, (message, via, from) =>
      this.#responder.respond(message, via, this.#viewOf(entry, from)),
    );
    entry.resolver = resolver;
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
  }

  /** A container on several networks asks by one of them, and sees them all. */
  #viewOf(home: Entry, from: string): View {
    const sandbox = home.zone.holderOf(from)?.sandbox;
    const others = sandbox === undefined ? [] : this.#entriesIn(sandbox.netns, home);
    const forwards = [home, ...others].some(({ network }) => !network.internal);
    return { home: home.zone, others: others.map(({ zone }) => zone), forwards };
  }

  #viewOfHost(): View {
    return {
      home: null,
      others: [...this.#entries.values()].map(({ zone }) => zone),
      forwards: true,
    };
  }

  #entriesIn(sandbox: string, home: Entry): Entry[] {
    const all = [...this.#entries.values()];
    return all.filter((entry) => entry !== home && entry.zone.hasSandbox(sandbox));
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
