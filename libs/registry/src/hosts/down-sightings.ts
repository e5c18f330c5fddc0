// For how long this process itself has seen a host down, on its own monotonic clock: what an earlier registry may have granted
// has run out after that long. A record that changes begins anew.

import type { HostEntry } from '../state/entries';

interface Sighting {
  readonly revision: number;
  readonly at: number;
}

export class DownSightings {
  readonly #seen = new Map<string, Sighting>();

  /** Milliseconds; 0 at the first look at this record, or if it says `up`. */
  forMs(host: Pick<HostEntry, 'id' | 'state' | 'revision'>, now: number): number {
    if (host.state !== 'down') {
      this.#seen.delete(host.id);
      return 0;
    }
    const known = this.#seen.get(host.id);
    if (known?.revision === host.revision) return now - known.at;
    this.#seen.set(host.id, { revision: host.revision, at: now });
    return 0;
  }

  /** Forgets hosts that are no more. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
  }
}
