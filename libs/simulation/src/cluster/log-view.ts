// A log as a list that may have lost its beginning to a snapshot: the simulator's own mirror of what a
// replica holds in memory or on disk. It must not know why entries come and go.
import type { LogEntry } from '@skein/raft';

export class LogView {
  /** The entry right before the first one held; 0 when the log starts at 1. */
  baseIndex = 0;
  baseTerm = 0;
  entries: LogEntry[] = [];

  get lastIndex(): number {
    return this.baseIndex + this.entries.length;
  }

  entryAt(index: number): LogEntry | undefined {
    return this.entries[index - this.baseIndex - 1];
  }

  termAt(index: number): number | undefined {
    return index === this.baseIndex ? this.baseTerm : this.entryAt(index)?.term;
  }

  truncateFrom(index: number): void {
    this.entries.length = Math.max(0, Math.min(this.entries.length, index - this.baseIndex - 1));
  }

  push(entry: LogEntry): void {
    if (entry.index !== this.lastIndex + 1) {
      throw new Error(`entry ${entry.index} after ${this.lastIndex}`);
    }
    this.entries.push(entry);
  }

  /** Entries up to `index` leave. */
  compact(index: number): void {
    if (index <= this.baseIndex) return;
    const term = this.termAt(index);
    if (term === undefined) throw new Error(`compacting ${index} beyond ${this.lastIndex}`);
    this.entries = this.entries.slice(index - this.baseIndex);
    this.baseIndex = index;
    this.baseTerm = term;
  }

  /** A snapshot takes the place of everything up to its index, and of the rest unless it is kept. */
  install(index: number, term: number, keepSuffix: boolean): void {
    this.entries = keepSuffix ? this.entries.filter((entry) => entry.index > index) : [];
    this.baseIndex = index;
    this.baseTerm = term;
  }

  /** The configuration entries held, oldest first. */
  configurationEntries(): LogEntry[] {
    return this.entries.filter((entry) => entry.kind === 'configuration');
  }
}
