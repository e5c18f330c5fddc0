// P2: who has lost an activation commits no more. Each commit of a registry or of a network's actor is held against who held the
// activation at its revision. It must not know what is committed.

import { keys, type RevisionEvents } from '@skein/contracts';
import type { Violations } from '../violations';

export interface FencedCommit {
  /** Of the activation. */
  readonly key: string;
  /** Revision that made the activation under which it was committed. */
  readonly fencing: number;
  readonly revision: number;
}

interface Holding {
  readonly since: number;
  /** Null: nobody's. */
  readonly fencing: number | null;
}

export class Activations {
  private readonly holdings = new Map<string, Holding[]>();

  constructor(private readonly violations: Violations) {}

  /** After each revision. */
  took({ revision, events }: RevisionEvents): void {
    for (const { kv, type } of events) {
      if (!kv.key.startsWith(keys.actors)) continue;
      const all = this.holdings.get(kv.key) ?? [];
      this.holdings.set(kv.key, all);
      all.push({ since: revision, fencing: type === 'put' ? kv.createRevision : null });
    }
  }

  /** Somebody was told that it has committed something. */
  committed({ key, fencing, revision }: FencedCommit): void {
    const holding = this.holdings.get(key)?.findLast(({ since }) => since <= revision);
    if (holding?.fencing === fencing) return;
    const holder = holding?.fencing ?? 'nobody';
    const message = `${key} of ${fencing} commits at ${revision}, when ${holder} holds it`;
    this.violations.report('P2', message);
  }
}
