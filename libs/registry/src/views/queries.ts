// Hosts, networks and endpoints as the contracts show them. Reads the view and the roster; decides nothing.

import {
  pageOf,
  type EndpointView,
  type HostView,
  type NetworkView,
  type PageRequest,
  type ReplyOf,
  type hostNetworksContract,
} from '@skein/contracts';
import type { Time } from '@skein/time';
import type { HostRegistry } from '../hosts/host-registry';
import type { Roster } from '../hosts/roster';
import type { CommittedView } from '../state/committed-view';
import type { EndpointEntry, HostEntry, NetworkEntry } from '../state/entries';

export interface QueriesOptions {
  readonly view: CommittedView;
  readonly roster: Roster;
  readonly time: Pick<Time, 'monotonicMs'>;
  /** As hosts are granted it. */
  readonly leaseMs: number;
  readonly registry: Pick<HostRegistry, 'heldBackMs'>;
}

/** An opinion of somebody who has been silent for longer says nothing of now. */
const opinionMs = 3_000;

export class Queries {
  readonly #options: QueriesOptions;
  readonly #view: CommittedView;
  readonly #roster: Roster;

  constructor(options: QueriesOptions) {
    this.#options = options;
    this.#view = options.view;
    this.#roster = options.roster;
  }

  hosts(page: PageRequest) {
    const { items, ...rest } = pageOf(this.#view.state.hosts(), ({ name }) => name, page);
    const opinions = this.#opinions();
    const hosts = items.map((host) => this.host(host, opinions));
    return { hosts, ...rest, ...this.#at() };
  }

  networks(page: PageRequest) {
    const { items, ...rest } = pageOf(this.#view.state.networks(), ({ name }) => name, page);
    return { networks: items.map((network) => this.network(network)), ...rest, ...this.#at() };
  }

  endpoints(networkId: string, page: PageRequest) {
    const endpoints = this.#view.state.endpointsOf(networkId).values();
    const { items, ...rest } = pageOf(endpoints, ({ name }) => name, page);
    return { endpoints: items.map((each) => this.endpoint(each)), ...rest, ...this.#at() };
  }

  host(host: HostEntry, opinions = this.#opinions()): HostView {
    const { state } = this.#view;
    const { programmed = 0, repairs = 0, dropped } = this.#roster.heard(host.id) ?? {};
    const networks = state.networksOf(host.id);
    let endpoints = 0;
    for (const networkId of networks) endpoints += this.#endpointsOn(networkId, host.id);
    const heldBackMs = this.#options.registry.heldBackMs(host);
    const thought = opinions.get(host.id);
    const lease = this.#lease(host);
    const udpBlockedFrom = this.#roster.udpBlockedFrom(host.id);
    return {
      ...host,
      programmed,
      networks: networks.size,
      endpoints,
      repairs,
      ...(dropped === undefined ? {} : { dropped }),
      ...(thought === undefined ? {} : { opinions: thought }),
      ...(lease === undefined ? {} : { lease }),
      ...(heldBackMs === 0 ? {} : { heldBackMs }),
      ...(udpBlockedFrom.length === 0 ? {} : { udpBlockedFrom }),
    };
  }

  hostNetworks(host: HostEntry): ReplyOf<typeof hostNetworksContract> {
    const { state, revision } = this.#view;
    const networks = [...state.networksOf(host.id)].flatMap((networkId) => {
      const network = state.network(networkId);
      if (network === undefined) return [];
      const { id, name, vni } = network;
      return [{ id, name, vni, endpoints: this.#endpointsOn(networkId, host.id) }];
    });
    networks.sort((a, b) => (a.name < b.name ? -1 : 1));
    const programmed = this.#roster.heard(host.id)?.programmed ?? 0;
    return { host: host.id, programmed, revision, networks };
  }

  network(network: NetworkEntry): NetworkView {
    const { state } = this.#view;
    return {
      ...network,
      endpoints: state.endpointsOf(network.id).size,
      hosts: [...state.participantsOf(network.id).keys()].sort(),
    };
  }

  endpoint(endpoint: EndpointEntry): EndpointView {
    const { state } = this.#view;
    const isLive = state.host(endpoint.host)?.state === 'up';
    return {
      ...endpoint,
      network: state.network(endpoint.networkId)?.name ?? endpoint.networkId,
      state: isLive ? 'live' : 'suspended',
    };
  }

  #opinions() {
    return this.#roster.opinions(this.#options.time.monotonicMs() - opinionMs);
  }

  #lease({ id, epoch, bootId }: HostEntry): HostView['lease'] {
    const { time, leaseMs: lastsMs, roster } = this.#options;
    const grantedAt = roster.grantedAt(id);
    if (grantedAt === undefined) return undefined;
    const leftMs = Math.max(0, Math.ceil(grantedAt + lastsMs - time.monotonicMs()));
    const { state } = this.#view;
    const networks = [...state.networksOf(id)].flatMap((each) => state.network(each) ?? []);
    const fencing = networks.filter(({ onHostLoss }) => onHostLoss === 'fence');
    return { epoch, bootId, lastsMs, leftMs, fences: fencing.map(({ name }) => name).sort() };
  }

  #endpointsOn(networkId: string, hostId: string): number {
    return this.#view.state.participantsOf(networkId).get(hostId) ?? 0;
  }

  #at(): { revision: number } {
    return { revision: this.#view.revision };
  }
}
