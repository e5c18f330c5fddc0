// A set of keys in order: leaves of a few hundred keys under one list of leaves. Finding is two binary searches, counting a
// span looks at its leaves only, and loading keys that come in order is a push. Knows nothing of what the keys stand for.

const leafSize = 512;

interface Place {
  leaf: number;
  at: number;
}

export class SortedKeys {
  // Invariant: no leaf is empty; keys ascend within each leaf and from leaf to leaf.
  private leaves: string[][] = [];
  private held = 0;

  get size(): number {
    return this.held;
  }

  /** The key must not be in the set. */
  add(key: string): void {
    this.held += 1;
    const last = this.leaves.at(-1);
    if (last === undefined || (last.at(-1) ?? '') < key) {
      if (last === undefined || last.length >= leafSize) this.leaves.push([key]);
      else last.push(key);
      return;
    }
    const { leaf, at } = this.find(key);
    const keys = this.leaf(leaf);
    if (keys.length < leafSize) {
      keys.splice(at, 0, key);
      return;
    }
    const upper = keys.splice(leafSize / 2);
    this.leaves.splice(leaf + 1, 0, upper);
    if (at <= keys.length) keys.splice(at, 0, key);
    else upper.splice(at - keys.length, 0, key);
  }

  /** The key must be in the set. */
  remove(key: string): void {
    const { leaf, at } = this.find(key);
    const keys = this.leaf(leaf);
    if (keys[at] !== key) throw new Error('sorted keys: a key that is not there was to go');
    this.held -= 1;
    if (keys.length > 1) keys.splice(at, 1);
    else this.leaves.splice(leaf, 1);
  }

  /** How many keys lie from `from` up to `end`, exclusive; `undefined` means no bound. */
  count(from: string, end: string | undefined): number {
    if (from === '' && end === undefined) return this.held;
    if (end !== undefined && end <= from) return 0;
    const low = this.find(from);
    const high = end === undefined ? { leaf: this.leaves.length, at: 0 } : this.find(end);
    let count = high.at - low.at;
    for (let leaf = low.leaf; leaf < high.leaf; leaf += 1) count += this.leaf(leaf).length;
    return count;
  }

  /** Visits the keys of a span in order until `visit` says true. The set must not change meanwhile. */
  scan(from: string, end: string | undefined, visit: (key: string) => boolean): void {
    let { leaf, at } = this.find(from);
    for (; leaf < this.leaves.length; leaf += 1, at = 0) {
      const keys = this.leaf(leaf);
      for (; at < keys.length; at += 1) {
        const key = keys[at] ?? '';
        if ((end !== undefined && key >= end) || visit(key)) return;
      }
    }
  }

  /** As `scan`, from the last key of the span to its first. */
  scanBack(from: string, end: string | undefined, visit: (key: string) => boolean): void {
    let { leaf, at } = end === undefined ? { leaf: this.leaves.length, at: 0 } : this.find(end);
    for (; leaf >= 0; leaf -= 1, at = this.leaves[leaf]?.length ?? 0) {
      const keys = this.leaves[leaf];
      if (keys === undefined) continue;
      for (at -= 1; at >= 0; at -= 1) {
        const key = keys[at] ?? '';
        if (key < from || visit(key)) return;
      }
    }
  }

  /** The place of the first key that is not below `key`. */
  private find(key: string): Place {
    const { leaves } = this;
    let low = 0;
    let high = leaves.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const keys = this.leaf(middle);
      if ((keys[keys.length - 1] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    const leaf = low;
    const keys = leaves[leaf];
    if (keys === undefined) return { leaf, at: 0 };
    low = 0;
    high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return { leaf, at: low };
  }

  private leaf(at: number): string[] {
    return this.leaves[at] ?? [];
  }
}
