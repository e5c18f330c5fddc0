// Every key with its versions, oldest first: multi-version state that answers for now and for any revision that is not yet
// compacted. Knows revisions only as numbers it is given; it decides nothing about transactions or leases.

import { SortedKeys } from './sorted-keys';
import { type Span } from './span';
import { type KeyValue } from './types';

/** A list only where there is more than one: most keys have a single version most of the time. */
export type Versions = KeyValue | KeyValue[];

/** How a span is walked: `true` ends the walk. */
export type Visit = (kv: KeyValue) => boolean;

/** Many small tables grow one at a time; one large one would stop everything whenever it doubles. */
const tableCount = 64;

export class KeyIndex {
  // Invariant: a list is never empty, ascends by modRevision, and holds no two versions of one revision.
  private readonly tables = Array.from({ length: tableCount }, () => new Map<string, Versions>());
  // Invariant: every key of the tables is in exactly one: `live`, or `buried` if its newest version is a tombstone.
  private readonly live = new SortedKeys();
  private readonly buried = new SortedKeys();

  /** Keys that are live now. */
  get size(): number {
    return this.live.size;
  }

  /** The live version of a key now, or as of `revision`. */
  get(key: string, revision?: number): KeyValue | undefined {
    return visible(this.table(key).get(key), revision);
  }

  /** All that is held of a key, seen by anybody or not. */
  find(key: string): Versions | undefined {
    return this.table(key).get(key);
  }

  /** Adds a version; a tombstone is a version too. Returns the live one that it replaces. `versions` is what `find` found. */
  add(kv: KeyValue, versions: Versions | undefined): KeyValue | undefined {
    const { key } = kv;
    if (versions === undefined) {
      this.table(key).set(key, kv);
      (kv.version === 0 ? this.buried : this.live).add(key);
      return undefined;
    }
    const last = newest(versions);
    if (last.modRevision >= kv.modRevision) {
      throw new Error(`key index: revision ${kv.modRevision} of a key does not follow its last`);
    }
    if (Array.isArray(versions)) versions.push(kv);
    else this.table(key).set(key, [versions, kv]);
    const wasLive = last.version !== 0;
    const isLive = kv.version !== 0;
    if (wasLive !== isLive) {
      (wasLive ? this.live : this.buried).remove(key);
      (isLive ? this.live : this.buried).add(key);
    }
    return wasLive ? last : undefined;
  }

  /** How many keys a span holds, without looking at their values unless an earlier revision is asked for. */
  count(span: Span, revision?: number): number {
    if (span.single) return this.get(span.key, revision) === undefined ? 0 : 1;
    if (revision === undefined) return this.live.count(span.from, span.end);
    let count = 0;
    this.scan(span, revision, () => {
      count += 1;
      return false;
    });
    return count;
  }

  /** Visits the live versions of a span in the order of their keys, as of `revision`; `undefined` means now. */
  scan(span: Span, revision: number | undefined, visit: Visit): void {
    if (span.single) {
      const kv = this.get(span.key, revision);
      if (kv !== undefined) visit(kv);
      return;
    }
    const { from, end } = span;
    if (revision !== undefined && this.buried.count(from, end) > 0) {
      this.scanAll(from, end, (versions) => {
        const kv = visible(versions, revision);
        return kv !== undefined && visit(kv);
      });
      return;
    }
    this.live.scan(from, end, (key) => {
      const kv = this.get(key, revision);
      return kv !== undefined && visit(kv);
    });
  }

  /** As `scan` of what is live now, from the last key to the first. */
  scanBack(span: Span, visit: Visit): void {
    if (span.single) {
      this.scan(span, undefined, visit);
      return;
    }
    this.live.scanBack(span.from, span.end, (key) => {
      const kv = this.get(key);
      return kv !== undefined && visit(kv);
    });
  }

  /** All live versions in a span as of `revision`, ascending; `undefined` means now. */
  collect(span: Span, revision?: number): KeyValue[] {
    const found: KeyValue[] = [];
    this.scan(span, revision, (kv) => {
      found.push(kv);
      return false;
    });
    return found;
  }

  /** Every version of a key that a read at `revision` or later can see, oldest first. */
  versions(key: string, revision: number): KeyValue[] {
    const versions = this.table(key).get(key);
    if (versions === undefined) return [];
    const list = Array.isArray(versions) ? versions : [versions];
    const first = Math.max(0, below(list, revision) - 1);
    const kept = list.slice(first);
    const oldest = kept[0];
    if (oldest?.version === 0 && oldest.modRevision <= revision) kept.shift();
    return kept;
  }

  /**
   * Visits the keys after `after` (all, if it is undefined) in order, tombstones too, as they are now: a caller may stop, let
   * writes happen, and go on after the last key. Each key that exists throughout is met once.
   */
  resume(after: string | undefined, visit: (key: string, versions: Versions) => boolean): void {
    this.scanAll(after ?? '', undefined, (versions, key) => key !== after && visit(key, versions));
  }

  /** Forgets the versions of `key` that no read at `revision` or later can see. */
  trim(key: string, revision: number): void {
    const table = this.table(key);
    const versions = table.get(key);
    if (versions === undefined) return;
    const list = Array.isArray(versions) ? versions : [versions];
    let keepFrom = Math.max(0, below(list, revision) - 1);
    const first = list[keepFrom];
    if (first !== undefined && first.modRevision <= revision && first.version === 0) keepFrom += 1;
    const kept = list[keepFrom];
    if (kept === undefined) {
      table.delete(key);
      this.buried.remove(key);
    } else if (keepFrom === list.length - 1) table.set(key, kept);
    else if (keepFrom > 0) list.splice(0, keepFrom);
  }

  /** Both sets of keys as one, in order. */
  private scanAll(
    from: string,
    end: string | undefined,
    visit: (versions: Versions, key: string) => boolean,
  ): void {
    const meet = (key: string): boolean => {
      const versions = this.table(key).get(key);
      return versions !== undefined && visit(versions, key);
    };
    let hasEnded = false;
    let next = from;
    // Up to each buried key come the live ones before it; a key is never in both.
    this.buried.scan(from, end, (buried) => {
      this.live.scan(next, buried, (key) => (hasEnded = meet(key)));
      next = buried;
      hasEnded ||= meet(buried);
      return hasEnded;
    });
    if (!hasEnded) this.live.scan(next, end, meet);
  }

  private table(key: string): Map<string, Versions> {
    const { length } = key;
    const mixed = key.charCodeAt(length - 1) * 31 + key.charCodeAt(length >> 1) * 7 + length;
    return this.tables[(mixed ^ key.charCodeAt(length - 2)) & (tableCount - 1)]!;
  }
}

function newest(versions: Versions): KeyValue {
  return Array.isArray(versions) ? versions[versions.length - 1]! : versions;
}

/** The live version as of `revision`; `undefined` means now. */
export function visible(
  versions: Versions | undefined,
  revision: number | undefined,
): KeyValue | undefined {
  if (versions === undefined) return undefined;
  let kv: KeyValue | undefined;
  if (revision === undefined) kv = newest(versions);
  else if (Array.isArray(versions)) kv = versions[below(versions, revision) - 1];
  else if (versions.modRevision <= revision) kv = versions;
  return kv === undefined || kv.version === 0 ? undefined : kv;
}

/** How many versions are of `revision` or before. */
function below(versions: readonly KeyValue[], revision: number): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (versions[middle]!.modRevision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
