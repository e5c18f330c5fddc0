// Finds endpoints that no container has any more: held for a call whose answer nobody took, left by an engine that lost its
// memory, or by an agent that did. Each is given time first, since its container may be about to start. Pure but for what it has seen.

import type { Book } from './book';

export interface Sighting {
  readonly book: Book;
  /** Endpoints of this host that an engine holds, as committed; by id, with the network. */
  readonly committed: ReadonlyMap<string, string>;
  /** Ids of the engine's own for all endpoints that it has; null: it can't be asked now. */
  readonly engineIds: ReadonlySet<string> | null;
  readonly nowMs: number;
}

export interface Orphans {
  /** To be released. */
  readonly release: readonly { readonly id: string; readonly network: string }[];
  /** In the book alone: the registry has taken them back. */
  readonly forget: readonly string[];
}

export class OrphanWatch {
  readonly #graceMs: number;
  #seenAt = new Map<string, number>();

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  look({ book, committed, engineIds, nowMs }: Sighting): Orphans {
    const suspects = new Map<string, { readonly network: string; readonly isCommitted: boolean }>();
    for (const [id, network] of committed) {
      if (!book.holds.has(id)) suspects.set(id, { network, isCommitted: true });
    }
    for (const { id, network, addresses, engineId } of book.holds.values()) {
      if (addresses.length === 0) continue;
      const isCommitted = committed.has(id);
      const isUsed = engineId !== undefined && (engineIds === null || engineIds.has(engineId));
      if (!isUsed || !isCommitted) suspects.set(id, { network, isCommitted });
    }
    const seenAt = new Map<string, number>();
    const release: { id: string; network: string }[] = [];
    const forget: string[] = [];
    for (const [id, { network, isCommitted }] of suspects) {
      const since = this.#seenAt.get(id) ?? nowMs;
      seenAt.set(id, since);
      if (nowMs - since < this.#graceMs) continue;
      if (isCommitted) release.push({ id, network });
      else forget.push(id);
    }
    this.#seenAt = seenAt;
    return { release, forget };
  }
}
