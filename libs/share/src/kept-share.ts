// A share that is kept and changed by deltas, with its digest at the cost of what changed. For an agent with ten thousand
// endpoints a delta of one then costs one.

import {
  addHash,
  hashEndpoint,
  hashHost,
  hashNetwork,
  hashToHex,
  subtractHash,
  zeroHash,
  type Hash,
} from './digest';
import { emptyShare, type Share, type ShareDelta } from './facts';
import type { SharedEndpoint, SharedHost, SharedNetwork } from './facts';

interface Kept<Item> {
  readonly item: Item;
  readonly hash: Hash;
}

export class KeptShare {
  readonly #hosts = new Map<string, Kept<SharedHost>>();
  readonly #networks = new Map<string, Kept<SharedNetwork>>();
  readonly #endpoints = new Map<string, Kept<SharedEndpoint>>();
  #sum: Hash = zeroHash;

  constructor(share: Share = emptyShare()) {
    this.replace(share);
  }

  /** Same text as `digestOf(this.toShare())`. */
  get digest(): string {
    return hashToHex(this.#sum);
  }

  host(id: string): SharedHost | undefined {
    return this.#hosts.get(id)?.item;
  }

  network(id: string): SharedNetwork | undefined {
    return this.#networks.get(id)?.item;
  }

  endpoint(id: string): SharedEndpoint | undefined {
    return this.#endpoints.get(id)?.item;
  }

  replace(share: Share): void {
    this.#hosts.clear();
    this.#networks.clear();
    this.#endpoints.clear();
    this.#sum = zeroHash;
    this.#put(share);
  }

  apply(delta: ShareDelta): void {
    for (const id of delta.removed.hosts) this.#drop(this.#hosts, id);
    for (const id of delta.removed.networks) this.#drop(this.#networks, id);
    for (const id of delta.removed.endpoints) this.#drop(this.#endpoints, id);
    this.#put(delta.put);
  }

  toShare(): Share {
    return {
      hosts: [...this.#hosts.values()].map((kept) => kept.item),
      networks: [...this.#networks.values()].map((kept) => kept.item),
      endpoints: [...this.#endpoints.values()].map((kept) => kept.item),
    };
  }

  #put(share: Share): void {
    for (const item of share.hosts) this.#keep(this.#hosts, item, hashHost(item));
    for (const item of share.networks) this.#keep(this.#networks, item, hashNetwork(item));
    for (const item of share.endpoints) this.#keep(this.#endpoints, item, hashEndpoint(item));
  }

  #keep<Item extends { readonly id: string }>(
    items: Map<string, Kept<Item>>,
    item: Item,
    hash: Hash,
  ): void {
    this.#drop(items, item.id);
    items.set(item.id, { item, hash });
    this.#sum = addHash(this.#sum, hash);
  }

  #drop<Item>(items: Map<string, Kept<Item>>, id: string): void {
    const known = items.get(id);
    if (known === undefined) return;
    items.delete(id);
    this.#sum = subtractHash(this.#sum, known.hash);
  }
}
