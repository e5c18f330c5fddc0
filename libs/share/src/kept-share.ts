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
  /** Endpoints by network and host. */
  readonly #counts = new Map<string, number>();
  #participation = 0;
  #sum: Hash = zeroHash;

  constructor(share: Share = emptyShare()) {
    this.replace(share);
  }

  /** Same text as `digestOf(this.toShare())`. */
  get digest(): string {
    return hashToHex(this.#sum);
  }

  /** Changes whenever a host's first endpoint on a network comes, or its last one goes. */
  get participation(): number {
    return this.#participation;
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
    this.#counts.clear();
    this.#participation += 1;
    this.#sum = zeroHash;
    this.#put(share);
  }

  apply(delta: ShareDelta): void {
    for (const id of delta.removed.hosts) this.#drop(this.#hosts, id);
    for (const id of delta.removed.networks) this.#drop(this.#networks, id);
    for (const id of delta.removed.endpoints) this.#dropEndpoint(id);
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
    for (const item of share.endpoints) {
      this.#dropEndpoint(item.id);
      this.#count(item, 1);
      this.#keep(this.#endpoints, item, hashEndpoint(item));
    }
  }

  #dropEndpoint(id: string): void {
    const known = this.endpoint(id);
    if (known === undefined) return;
    this.#count(known, -1);
    this.#drop(this.#endpoints, id);
  }

  #count({ networkId, host }: SharedEndpoint, by: 1 | -1): void {
    const key = `${networkId} ${host}`;
    const count = (this.#counts.get(key) ?? 0) + by;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
    if (count === 0 || (count === 1 && by === 1)) this.#participation += 1;
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
