// The log as the core sees it: everything appended, durable or not, after the snapshot. Terms are
// kept as runs, so that looking for a term costs the number of leaders, not of entries. It must not
// know commit, roles or disks.
import { assert } from './assert';
import type { LogEntry } from './types';

/** What an entry costs on the wire and against the byte limits, besides its data. */
const ENTRY_OVERHEAD_BYTES = 16;

export function entryBytes(entry: LogEntry): number {
  return entry.data.length + ENTRY_OVERHEAD_BYTES;
}

export class RaftLog {
  private readonly entries: LogEntry[] = [];
  /**
   * Run i has term runTerms[i] and begins at index runStarts[i]; run 0 begins at the snapshot's
   * index.
   */
  private readonly runTerms: number[];
  private readonly runStarts: number[];

  constructor(
    private readonly snapshotIndex: number,
    snapshotTerm: number,
    restored: readonly LogEntry[],
  ) {
    this.runTerms = [snapshotTerm];
    this.runStarts = [snapshotIndex];
    for (const entry of restored) this.append(entry);
  }

  get firstIndex(): number {
    return this.snapshotIndex + 1;
  }

  get lastIndex(): number {
    return this.snapshotIndex + this.entries.length;
  }

  get lastTerm(): number {
    return this.runTerms[this.runTerms.length - 1] as number;
  }

  /** Null when the index is not held: a missing entry must never look like term 0. */
  termAt(index: number): number | null {
    if (index === this.snapshotIndex) return this.runTerms[0] as number;
    return this.entries[index - this.snapshotIndex - 1]?.term ?? null;
  }

  entryAt(index: number): LogEntry {
    const entry = this.entries[index - this.snapshotIndex - 1];
    assert(entry !== undefined, `no entry at ${index}`);
    return entry;
  }

  append(entry: LogEntry): void {
    assert(entry.index === this.lastIndex + 1, `entry ${entry.index} after ${this.lastIndex}`);
    assert(entry.term >= this.lastTerm, `term ${entry.term} after ${this.lastTerm}`);
    if (entry.term !== this.lastTerm) {
      this.runTerms.push(entry.term);
      this.runStarts.push(entry.index);
    }
    this.entries.push(entry);
  }

  truncateFrom(index: number): void {
    assert(index > this.snapshotIndex && index <= this.lastIndex, `truncate from ${index}`);
    this.entries.length = index - this.snapshotIndex - 1;
    while (
      this.runStarts.length > 1 &&
      (this.runStarts[this.runStarts.length - 1] as number) >= index
    ) {
      this.runStarts.pop();
      this.runTerms.pop();
    }
  }

  /** Entries from `from` up to `maxBytes` (at least one) and never beyond `to`. */
  slice(from: number, to: number, maxBytes: number): readonly LogEntry[] {
    const start = from - this.snapshotIndex - 1;
    const limit = Math.min(to, this.lastIndex) - this.snapshotIndex;
    assert(start >= 0, `slice from ${from} before ${this.firstIndex}`);
    let end = start;
    let bytes = 0;
    while (end < limit) {
      bytes += entryBytes(this.entries[end] as LogEntry);
      if (bytes > maxBytes && end > start) break;
      end += 1;
    }
    return this.entries.slice(start, end);
  }

  /**
   * The largest index not above `index` whose term is not above `term`: where two logs may meet
   * (Raft §5.3).
   */
  lastIndexWithTermAtMost(index: number, term: number): number {
    let last = Math.min(index, this.lastIndex);
    for (let run = this.runTerms.length - 1; run >= 0; run -= 1) {
      const start = this.runStarts[run] as number;
      if (start > last) continue;
      if ((this.runTerms[run] as number) <= term) return last;
      last = start - 1;
    }
    return Math.max(0, Math.min(last, this.snapshotIndex));
  }

  /** Raft §5.4.1: a log is newer by its last term first and by its length only then. */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }
}
