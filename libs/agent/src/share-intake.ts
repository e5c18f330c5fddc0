// The share as the registry has pushed it so far: takes snapshots and deltas in, and refuses what does not fit. Knows no kernel.

import type {
  ParsedRequestOf,
  programContract,
  Share,
  ShareDelta,
  ShareEndpoint,
} from '@skein/contracts';
import { KeptShare } from '@skein/share';

/** An endpoint as it was and as it is; absent where there is none. */
export interface EndpointChange {
  readonly before: ShareEndpoint | undefined;
  readonly after: ShareEndpoint | undefined;
}

export type Push = ParsedRequestOf<typeof programContract>;

export class ShareIntake {
  readonly #kept = new KeptShare();
  #revision = 0;
  /** Of the registry that it has heard of last; one that was followed by another is not listened to (P2). */
  #fencing = 0;
  #share: Share | null = null;
  /** By id, since they were last asked for; null: more than endpoints has changed. */
  #changed: Map<string, EndpointChange> | null = null;

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

  /** As it is committed, if it is of this share. */
  endpoint(id: string): ShareEndpoint | undefined {
    return this.#kept.endpoint(id);
  }

  /**
   * What has changed since the last call, if that is endpoints alone and each host still takes part in the networks in which it
   * did; null if it is more.
   */
  changes(): readonly EndpointChange[] | null {
    const changed = this.#changed;
    this.#changed = new Map();
    return changed === null ? null : [...changed.values()];
  }

  /** False if the push does not fit: nothing has changed then, and a snapshot is wanted. */
  take(push: Push): boolean {
    const { fencing = this.#fencing } = push;
    if (fencing < this.#fencing) return false;
    this.#fencing = fencing;
    // What was overtaken on its way, or came twice, would bring back endpoints that were taken away since.
    if (push.revision < this.#revision) return false;
    if (push.kind === 'snapshot') {
      const before = this.share;
      this.#kept.replace(push.share);
      if (this.#kept.digest !== push.digest) {
        this.#kept.replace(before);
        this.#changed = null;
        return false;
      }
      this.#changed = null;
    } else {
      if (this.#revision === 0 || push.base !== this.#revision) return false;
      const back = this.#inverse(push.delta);
      const { participation } = this.#kept;
      this.#kept.apply(push.delta);
      if (this.#kept.digest !== push.digest) {
        this.#kept.apply(back);
        return false;
      }
      if (this.#kept.participation !== participation) this.#changed = null;
      this.#noteChanges(back);
    }
    this.#revision = push.revision;
    this.#share = null;
    return true;
  }

  #noteChanges({ put, removed }: ShareDelta): void {
    const others = [put.hosts, put.networks, removed.hosts, removed.networks];
    if (others.some((items) => items.length > 0)) this.#changed = null;
    if (this.#changed === null) return;
    const noted: [string, ShareEndpoint | undefined][] = [
      ...put.endpoints.map((before): [string, ShareEndpoint] => [before.id, before]),
      ...removed.endpoints.map((id): [string, undefined] => [id, undefined]),
    ];
    for (const [id, before] of noted) {
      const first = this.#changed.get(id);
      const change = { before: first === undefined ? before : first.before };
      this.#changed.set(id, { ...change, after: this.#kept.endpoint(id) });
    }
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
