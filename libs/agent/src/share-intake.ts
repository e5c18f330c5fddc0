// The share as the registry has pushed it so far: takes snapshots and deltas in, and refuses what does not fit. Knows no kernel.

import type { ParsedRequestOf, programContract, Share, ShareDelta } from '@skein/contracts';
import { KeptShare } from '@skein/share';

export type Push = ParsedRequestOf<typeof programContract>;

export class ShareIntake {
  readonly #kept = new KeptShare();
  #revision = 0;
  /** Of the registry that it has heard of last; one that was followed by another is not listened to (P2). */
  #fencing = 0;
  #share: Share | null = null;

  /** Revision of the last push taken; 0 before the first. */
  get revision(): number {
    return this.#revision;
  }

  get digest(): string {
    return this.#kept.digest;
  }

  get share(): Share {
    this.#share ??= this.#kept.toShare();
    return this.#share;
  }

  /** False if the push does not fit: nothing has changed then, and a snapshot is wanted. */
  take(push: Push): boolean {
    const { fencing = this.#fencing } = push;
    if (fencing < this.#fencing) return false;
    this.#fencing = fencing;
    if (push.kind === 'snapshot') {
      const before = this.share;
      this.#kept.replace(push.share);
      if (this.#kept.digest !== push.digest) {
        this.#kept.replace(before);
        return false;
      }
    } else {
      if (this.#revision === 0 || push.base !== this.#revision) return false;
      const back = this.#inverse(push.delta);
      this.#kept.apply(push.delta);
      if (this.#kept.digest !== push.digest) {
        this.#kept.apply(back);
        return false;
      }
    }
    this.#revision = push.revision;
    this.#share = null;
    return true;
  }

  /** What undoes the delta. */
  #inverse({ put, removed }: ShareDelta): ShareDelta {
    const back: ShareDelta = {
      put: { hosts: [], networks: [], endpoints: [] },
      removed: { hosts: [], networks: [], endpoints: [] },
    };
    for (const id of [...put.hosts.map((item) => item.id), ...removed.hosts]) {
      const known = this.#kept.host(id);
      if (known === undefined) back.removed.hosts.push(id);
      else back.put.hosts.push(known);
    }
    for (const id of [...put.networks.map((item) => item.id), ...removed.networks]) {
      const known = this.#kept.network(id);
      if (known === undefined) back.removed.networks.push(id);
      else back.put.networks.push(known);
    }
    for (const id of [...put.endpoints.map((item) => item.id), ...removed.endpoints]) {
      const known = this.#kept.endpoint(id);
      if (known === undefined) back.removed.endpoints.push(id);
      else back.put.endpoints.push(known);
    }
    return back;
  }
}
