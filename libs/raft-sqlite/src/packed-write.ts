// Log writes as the log's thread takes them: one buffer for all entries of a group, so that one copy is made and handed over.
// Knows nothing of SQLite.

import type { EntryKind, HardState, LogEntry, LogWrite } from '@skein/raft';

/** The position is the number on disk: append only. */
export const entryKinds: readonly EntryKind[] = ['noop', 'command', 'configuration'];

export interface PackedWrite {
  readonly hardState: HardState | null;
  readonly truncateFrom: number | null;
  readonly entries: readonly PackedEntry[];
}

export interface PackedEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: number;
  /** Place of the data in the group's buffer. */
  readonly from: number;
  readonly length: number;
}

export interface PackedGroup {
  readonly writes: readonly PackedWrite[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Copies the entries' data: they may be views on large buffers that others still use. */
export function packWrites(writes: readonly LogWrite[]): PackedGroup {
  let length = 0;
  for (const { entries } of writes) for (const { data } of entries) length += data.length;
  const bytes = new Uint8Array(length);
  let from = 0;
  const packEntry = ({ index, term, kind, data }: LogEntry): PackedEntry => {
    bytes.set(data, from);
    const packed = { index, term, kind: entryKinds.indexOf(kind), from, length: data.length };
    from += data.length;
    return packed;
  };
  const packed = writes.map(({ hardState, truncateFrom, entries }) => ({
    hardState,
    truncateFrom,
    entries: entries.map(packEntry),
  }));
  return { writes: packed, bytes };
}

/** Nothing to store: the write only waits for its turn. */
export function isBarrier(write: LogWrite): boolean {
  return write.hardState === null && write.truncateFrom === null && write.entries.length === 0;
}

export interface PackedLog {
  readonly entries: readonly PackedEntry[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function unpackLog({ entries, bytes }: PackedLog): LogEntry[] {
  return entries.map(({ index, term, kind, from, length }) => {
    const name = entryKinds[kind];
    if (name === undefined) throw new Error(`raft log: entry ${index} is of unknown kind ${kind}`);
    return { index, term, kind: name, data: bytes.subarray(from, from + length) };
  });
}
