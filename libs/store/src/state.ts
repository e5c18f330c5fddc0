// Everything that replicas hold in common, and the two ways in which it changes: a revision is committed, or history is
// compacted. What is asked for and what is refused is decided elsewhere; how a snapshot carries it, too.

import { History, type Written } from './history';
import { KeyIndex, type Versions } from './key-index';
import { Leases } from './leases';
import { RollingHash } from './rolling-hash';
import { Sessions } from './sessions';
import { type Alarm, type KeyValue, type StoreSettings } from './types';

/** The state hash after a certain entry, for comparing replicas that have not applied equally much. */
export interface HashPoint {
  readonly appliedIndex: number;
  readonly revision: number;
  readonly hash: string;
}

/** Hash points lie at multiples of this many entries. */
export const hashPointEntries = 1_000;
export const maxHashPoints = 64;

export const defaultSettings: StoreSettings = { quotaBytes: 0, historyRevisions: 0, historyMs: 0 };

export class StoreState {
  readonly index = new KeyIndex();
  history = new History();
  leases = new Leases();
  sessions = new Sessions();
  hash = new RollingHash();
  hashPoints: HashPoint[] = [];
  appliedIndex = 0;
  revision = 0;
  compactRevision = 0;
  // Invariant: never goes back, whatever the leaders' clocks say.
  at = 0;
  protocolVersion = 1;
  settings = defaultSettings;
  alarms: readonly Alarm[] = [];
  /** Snapshots being written: what they read stays in memory. */
  private holds = 0;
  private liveBytes = 0;
  /** What revisions have replaced or buried, in all and as of the compacted revision. */
  private obsoleteBytes = 0;
  private forgottenBytes = 0;
  private sweeping: KeyValue[] = [];

  /** Logical size: of what is live and what history still holds. Does not depend on what was swept already. */
  get bytes(): number {
    return this.liveBytes + this.obsoleteBytes - this.forgottenBytes;
  }

  /** Adds a version, of the next revision, to those that the index holds of its key. Returns the live one that it replaces. */
  write(kv: KeyValue, versions: Versions | undefined): KeyValue | undefined {
    const previous = this.index.add(kv, versions);
    const { lease } = kv;
    if (previous !== undefined) {
      const bytes = sizeOf(previous);
      this.liveBytes -= bytes;
      this.obsoleteBytes += bytes;
      if (previous.lease !== undefined) this.leases.detach(previous.lease, kv.key);
    }
    if (kv.version === 0) this.obsoleteBytes += sizeOf(kv);
    else this.liveBytes += sizeOf(kv);
    if (lease !== undefined) this.leases.attach(lease, kv.key);
    return previous;
  }

  commit(written: Written): number {
    this.revision += 1;
    this.history.add(this.revision, this.at, written, this.obsoleteBytes);
    return this.revision;
  }

  /** Takes a version that was live at the compacted revision, while a snapshot is loaded. */
  load(kv: KeyValue): void {
    this.index.add(kv, undefined);
    this.liveBytes += sizeOf(kv);
    if (kv.lease !== undefined) this.leases.attach(kv.lease, kv.key);
  }

  /** From now on nothing before `revision` can be seen. Memory is freed by `sweep`. */
  compact(revision: number): void {
    this.forgottenBytes = this.history.obsoleteAt(revision);
    this.compactRevision = revision;
    this.history.compact(revision);
  }

  /** Skips revisions and leases, so that none is ever given twice after a restore. Everything before counts as compacted. */
  skip(revisions: number): void {
    if (this.revision > this.compactRevision) this.compact(this.revision);
    this.sweep(Infinity);
    this.revision += revisions;
    this.leases.skip(revisions);
    this.compactRevision = this.revision;
    this.history = new History(this.revision + 1);
    this.obsoleteBytes = 0;
    this.forgottenBytes = 0;
  }

  /** Keeps what can be seen now in memory until the returned function is called. */
  hold(): () => void {
    this.holds += 1;
    let isHeld = true;
    return () => {
      if (isHeld) this.holds -= 1;
      isHeld = false;
    };
  }

  /** Frees up to `count` versions that nobody can see any more. Returns whether some may be left. */
  sweep(count: number): boolean {
    if (this.holds > 0) return true;
    for (let left = count; left > 0; left -= 1) {
      const kv = this.sweeping.pop() ?? this.nextObsolete();
      if (kv === undefined) return false;
      this.index.trim(kv.key, this.compactRevision);
    }
    return true;
  }

  notePoint(): void {
    if (this.appliedIndex % hashPointEntries !== 0) return;
    const { appliedIndex, revision } = this;
    this.hashPoints.push({ appliedIndex, revision, hash: this.hash.value });
    if (this.hashPoints.length > maxHashPoints) this.hashPoints.shift();
  }

  private nextObsolete(): KeyValue | undefined {
    const written = this.history.sweep();
    if (!Array.isArray(written)) return written;
    this.sweeping = written.slice();
    return this.sweeping.pop();
  }
}

/** Logical size of a version: text in UTF-16 units, and what its numbers and places take. */
export function sizeOf({ key, value }: { readonly key: string; readonly value: string }): number {
  return key.length + value.length + 64;
}
