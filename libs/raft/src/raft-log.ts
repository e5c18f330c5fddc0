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

/** Slots of compacted entries are given back in one go, once they are this many and the majority. */
const MIN_DROPPED_SLOTS = 1024;
const dropped = Object.freeze({
  index: 0,
  term: 0,
  kind: 'noop',
  data: new Uint8Array(0),
}) as LogEntry;

export class RaftLog {
  /** Slot i holds index slotZero + i. Slots up to `snapshotIndex` are empty, waiting to be dropped. */
  private entries: LogEntry[] = [];
  private slotZero: number;
  /**
   * Run i has term runTerms[i] and begins at index runStarts[i]; run 0 begins at the snapshot's
   * index.
   */
  private runTerms: number[];
  private runStarts: number[];

  constructor(
    private snapshotIndex: number,
    snapshotTerm: number,
    restored: readonly LogEntry[],
  ) {
    this.slotZero = snapshotIndex + 1;
    this.runTerms = [snapshotTerm];
    this.runStarts = [snapshotIndex];
    for (const entry of restored) this.append(entry);
  }

  get firstIndex(): number {
    return this.snapshotIndex + 1;
  }

  get lastIndex(): number {
    return this.slotZero + this.entries.length - 1;
  }

  get lastTerm(): number {
    return this.runTerms[this.runTerms.length - 1] as number;
  }

  /** Null when the index is not held: a missing entry must never look like term 0. */
  termAt(index: number): number | null {
    if (index <= this.snapshotIndex) {
      return index === this.snapshotIndex ? (this.runTerms[0] as number) : null;
    }
    return this.entries[index - this.slotZero]?.term ?? null;
  }

  entryAt(index: number): LogEntry {
    const entry = index > this.snapshotIndex ? this.entries[index - this.slotZero] : undefined;
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
    this.entries.length = index - this.slotZero;
    while (
      this.runStarts.length > 1 &&
      (this.runStarts[this.runStarts.length - 1] as number) >= index
    ) {
      this.runStarts.pop();
      this.runTerms.pop();
    }
  }

  /**
   * Entries up to `index` leave memory. Each costs one assignment here and one move later, however
   * long the log is.
   */
  compactTo(index: number): void {
    assert(index <= this.lastIndex, `compacting to ${index} beyond the log`);
    if (index <= this.snapshotIndex) return;
    for (let i = this.snapshotIndex + 1; i <= index; i += 1) {
      this.entries[i - this.slotZero] = dropped;
    }
    let run = 0;
    while (run + 1 < this.runStarts.length && (this.runStarts[run + 1] as number) <= index)
      run += 1;
    this.runStarts.splice(0, run);
    this.runTerms.splice(0, run);
    this.runStarts[0] = index;
    this.snapshotIndex = index;
    const empty = index + 1 - this.slotZero;
    if (empty < MIN_DROPPED_SLOTS || empty * 2 < this.entries.length) return;
    this.entries = this.entries.slice(empty);
    this.slotZero = index + 1;
  }

  /** A snapshot takes the place of everything. */
  restore(index: number, term: number): void {
    this.entries = [];
    this.snapshotIndex = index;
    this.slotZero = index + 1;
    this.runTerms = [term];
    this.runStarts = [index];
  }

  /** Entries from `from` up to `maxBytes` (at least one) and never beyond `to`. */
  slice(from: number, to: number, maxBytes: number): readonly LogEntry[] {
    assert(from > this.snapshotIndex, `slice from ${from} before ${this.firstIndex}`);
    const start = from - this.slotZero;
    const limit = Math.min(to, this.lastIndex) + 1 - this.slotZero;
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
