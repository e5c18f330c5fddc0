// What a log's file holds that is provably what was written: the hard state if its checksum holds, the newest whole snapshot,
// and the chain of entries after it. Everything else is a fault. Changes nothing; throws nothing for damage.

import type { Keyring } from './keyring';
import type { Mark } from './commit-mark';
import { entryCrc, entryPlace, origin, type EntryRow, type LogEnd } from './entry-table';
import type { PackedEntry } from './packed-write';
import { RaftLogError } from './raft-log-error';
import type { Connection } from './schema';
import { snapshotCrc, SnapshotTable, stages, type SnapshotRow } from './snapshot-table';
import { readState, type StateRow } from './state-row';

export interface Found {
  /** Empty if the file is whole. */
  readonly faults: readonly string[];
  readonly state: StateRow | null;
  /** The newest complete snapshot that is whole. */
  readonly snapshot: SnapshotRow | null;
  /** What the entries follow. */
  readonly anchor: LogEnd;
  readonly entries: readonly PackedEntry[];
  /** The entries' data, opened. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly end: LogEnd;
  /** The highest number of a transaction that what is whole bears. */
  readonly sequence: number;
  /** No later hard state than this one can have been written. */
  readonly isStateNewest: boolean;
}

export const foundNothing: Omit<Found, 'faults'> = {
  state: null,
  snapshot: null,
  anchor: origin,
  entries: [],
  bytes: new Uint8Array(0),
  end: origin,
  sequence: 0,
  isStateNewest: false,
};

/** With a connection whose tables are there. */
export function examine(connection: Connection, keyring: Keyring, mark: Mark | null): Found {
  const faults: string[] = [];
  const attempt = <T>(otherwise: T, read: () => T): T => {
    try {
      return read();
    } catch (thrown) {
      faults.push(faultOf(thrown));
      return otherwise;
    }
  };
  const structure = attempt('unreadable', () =>
    connection.pragma('quick_check(1)', { simple: true }),
  );
  if (structure !== 'ok') faults.push(`SQLite's structure is damaged: ${String(structure)}`);
  const state = attempt(null, () => readState(connection));
  if (state === null) faults.push('the hard state is missing or damaged');
  const snapshot = attempt(null, () => newestWhole(connection, keyring, faults));
  const anchor = snapshot === null ? origin : anchorOf(snapshot);
  const log = readEntries({ connection, keyring, anchor, faults });
  const sequence = Math.max(state?.written ?? 0, log.end.written, snapshot?.written ?? 0);
  const lastWritten = attempt(0, () => lastRowsNumber(connection));
  const seen = Math.max(state?.written ?? 0, lastWritten);
  const isStateNewest = state !== null && mark !== null && seen >= mark.sequence;
  const found = { state, snapshot, anchor, ...log, sequence, isStateNewest };
  if (faults.length === 0) faults.push(...contradictions(found, mark));
  return { faults, ...found };
}

/** Number of the transaction that wrote the log's last row, which may follow a damaged one; 0 if it can't be told. */
function lastRowsNumber(connection: Connection): number {
  const last = connection.prepare('SELECT * FROM entry ORDER BY log_index DESC LIMIT 2');
  const [row, before] = last.all() as EntryRow[];
  if (row === undefined || before === undefined) return 0;
  return entryCrc(row, before.crc) === row.crc ? row.written : 0;
}

export function anchorOf({ log_index: index, entry_crc: crc, written }: SnapshotRow): LogEnd {
  return { index, crc, written };
}

/** SQLite's own words for damage; everything else is a failure of its own. */
export function faultOf(thrown: unknown): string {
  const error = RaftLogError.from(thrown);
  const cause = String(error.facts['cause'] ?? '');
  const isDamage = /^SQLITE_(ERROR|CORRUPT|NOTADB|READONLY|MISMATCH|CONSTRAINT)/.test(cause);
  if (isDamage || error.isRefusal || thrown instanceof SyntaxError) return error.reason;
  throw error;
}

function newestWhole(
  connection: Connection,
  keyring: Keyring,
  faults: string[],
): SnapshotRow | null {
  const table = new SnapshotTable(connection, keyring);
  const rows = table.rows() as (SnapshotRow & { crc: number })[];
  const trusted = rows.filter((row) => {
    const isWhole = snapshotCrc(row) === row.crc;
    if (!isWhole) faults.push(`the record of snapshot ${row.number} is damaged`);
    return isWhole && row.stage === stages.complete;
  });
  for (const row of trusted.sort((one, other) => other.log_index - one.log_index)) {
    const fault = chunkFault(table, row);
    if (fault === null) return row;
    faults.push(fault);
  }
  return null;
}

function chunkFault(table: SnapshotTable, row: SnapshotRow): string | null {
  let at = 0;
  let crc = 0;
  try {
    while (at < row.size) {
      const part = table.part(row, at, crc);
      at += part.data.length;
      crc = part.crc;
    }
  } catch (thrown) {
    return faultOf(thrown);
  }
  return at === row.size && crc === row.chain ? null : `snapshot ${row.number} has another length`;
}

interface Chain {
  readonly connection: Connection;
  readonly keyring: Keyring;
  readonly anchor: LogEnd;
  readonly faults: string[];
}

/** The entries after the anchor, up to the first that does not follow. */
function readEntries({ connection, keyring, anchor, faults }: Chain) {
  const entries: PackedEntry[] = [];
  const parts: Uint8Array[] = [];
  let from = 0;
  let end = anchor;
  try {
    const rows = connection
      .prepare('SELECT * FROM entry WHERE log_index > ? ORDER BY log_index')
      .iterate(anchor.index) as IterableIterator<EntryRow>;
    for (const row of rows) {
      const { log_index: index, term, kind, written, crc, key } = row;
      const follows = index === end.index + 1 && entryCrc(row, end.crc) === crc;
      const data = follows
        ? keyring.open(key, () => entryPlace(index, term, kind), row.data)
        : null;
      if (data === null) {
        faults.push(`entry ${end.index + 1} is missing or damaged`);
        break;
      }
      parts.push(data);
      entries.push({ index, term, kind, from, length: data.length });
      from += data.length;
      end = { index, crc, written };
    }
  } catch (thrown) {
    faults.push(faultOf(thrown));
  }
  return { entries, bytes: joined(parts, from), end };
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Each row is what was written, and yet something that was written is not there. */
function contradictions(found: Omit<Found, 'faults'>, mark: Mark | null): string[] {
  const { state, end, sequence } = found;
  if (state === null) return [];
  const faults: string[] = [];
  const isBeforeState = state.written >= end.written;
  if (isBeforeState && (state.last_index !== end.index || state.last_crc !== end.crc)) {
    faults.push(`the log ends at ${end.index}, not at ${state.last_index}`);
  }
  // What was committed was durable first.
  if (state.committed > end.index) {
    faults.push(`the log ends at ${end.index}, but ${state.committed} was committed`);
  }
  if (mark !== null && mark.sequence > sequence) {
    faults.push(`writes ${sequence + 1} to ${mark.sequence} are missing`);
  }
  const isAtMark = mark !== null && mark.sequence === sequence;
  if (isAtMark && (mark.lastIndex !== end.index || mark.lastCrc !== end.crc)) {
    faults.push(`the log ends at ${end.index}, not at ${mark.lastIndex}`);
  }
  return faults;
}
