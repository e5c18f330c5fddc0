// Every key with its versions, oldest first: multi-version state that answers for now and for any revision that is not yet
// compacted. Knows revisions only as numbers it is given; it decides nothing about transactions or leases.

import sortedBtree from 'sorted-btree';
import { type Span } from './span';
import { type KeyValue } from './types';

// The package is CommonJS: Node hands over its exports, a bundler its default.
const BTree = (sortedBtree as unknown as { default?: typeof sortedBtree }).default ?? sortedBtree;

export interface Slice {
  readonly kvs: KeyValue[];
  readonly count: number;
  readonly more: boolean;
}

export class KeyIndex {
  // Invariant: a list is never empty, ascends by modRevision, and holds no two versions of one revision.
  private readonly tree = new BTree<string, KeyValue[]>(undefined, compareKeys);

  /** The live version of a key now. */
  get(key: string): KeyValue | undefined {
    return live(this.tree.get(key)?.at(-1));
  }

  /** Adds a version; a tombstone is a version too. Returns the live one that it replaces. */
  add(kv: KeyValue): KeyValue | undefined {
    const versions = this.tree.get(kv.key);
    if (versions === undefined) {
      this.tree.set(kv.key, [kv]);
      return undefined;
    }
    const last = versions.at(-1);
    if (last !== undefined && last.modRevision >= kv.modRevision) {
      throw new Error(`key index: revision ${kv.modRevision} of a key does not follow its last`);
    }
    versions.push(kv);
    return live(last);
  }

  /** All live versions in a span as of `revision`, ascending; `undefined` means now. */
  collect(span: Span, revision?: number): KeyValue[] {
    const found: KeyValue[] = [];
    this.visit(span, (versions) => {
      const kv = live(revision === undefined ? versions.at(-1) : versionAt(versions, revision));
      if (kv !== undefined) found.push(kv);
    });
    return found;
  }

  /** Forgets the versions of `key` that no read at `revision` or later can see. */
  trim(key: string, revision: number): void {
    const versions = this.tree.get(key);
    if (versions === undefined) return;
    let keepFrom = 0;
    while ((versions[keepFrom + 1]?.modRevision ?? Infinity) <= revision) keepFrom += 1;
    const first = versions[keepFrom];
    if (first !== undefined && first.modRevision <= revision && first.version === 0) keepFrom += 1;
    if (keepFrom === versions.length) this.tree.delete(key);
    else if (keepFrom > 0) versions.splice(0, keepFrom);
  }

  private visit(span: Span, take: (versions: KeyValue[]) => void): void {
    if (span.single) {
      const versions = this.tree.get(span.key);
      if (versions !== undefined) take(versions);
      return;
    }
    const highest = this.tree.maxKey();
    if (highest === undefined) return;
    const bounded = span.end !== undefined && span.end <= highest;
    const high = bounded ? (span.end ?? highest) : highest;
    this.tree.forRange(span.from, high, !bounded, (_key, versions) => take(versions));
  }
}

function compareKeys(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function live(kv: KeyValue | undefined): KeyValue | undefined {
  return kv === undefined || kv.version === 0 ? undefined : kv;
}

function versionAt(versions: readonly KeyValue[], revision: number): KeyValue | undefined {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((versions[middle]?.modRevision ?? Infinity) <= revision) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? undefined : versions[low - 1];
}
