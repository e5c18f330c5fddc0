// One host within the committed state: its record, the networks it takes part in, and which hosts it meets there.

import { hashHost, zeroHash, type Hash } from './digest';
import type { HostFact } from './facts';
import { sharedHost } from './items';

export class HostState<Host extends HostFact> {
  #record: Host | undefined;
  /** Networks with at least one endpoint on this host. */
  readonly networks = new Set<string>();
  /** Other hosts by how many networks both take part in. Invariant: no count is zero. */
  readonly met = new Map<string, number>();
  hash: Hash = zeroHash;
  /** Sum of what its own endpoints' sandboxes add. */
  sandboxesHash: Hash = zeroHash;

  get record(): Host | undefined {
    return this.#record;
  }

  set record(record: Host | undefined) {
    this.#record = record;
    this.hash = record === undefined ? zeroHash : hashHost(sharedHost(record));
  }

  /** True if the other host was not met before. */
  meet(other: string): boolean {
    const count = this.met.get(other) ?? 0;
    this.met.set(other, count + 1);
    return count === 0;
  }

  /** True if the other host is met no more. */
  part(other: string): boolean {
    const count = this.met.get(other) ?? 0;
    if (count > 1) this.met.set(other, count - 1);
    else this.met.delete(other);
    return count <= 1;
  }

  get isEmpty(): boolean {
    return this.record === undefined && this.networks.size === 0;
  }
}
