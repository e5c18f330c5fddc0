// The log's entries as rows. Each row's checksum covers what is stored, sealed or plain, and the checksum before it, so that no
// entry can change, vanish or move unseen. The caller holds the transaction.

import { crc32 } from 'node:zlib';
import type { Keyring } from './keyring';
import type { PackedEntry } from './packed-write';
import type { Connection } from './schema';

export interface EntryRow {
  readonly log_index: number;
  readonly term: number;
  readonly kind: number;
  /** Number of the transaction that wrote it; 0 for one that the first schema held. */
  readonly written: number;
  readonly key: number;
  readonly crc: number;
  readonly data: Uint8Array;
}

/** The log's end, or the point that it begins after. */
export interface LogEnd {
  readonly index: number;
  readonly crc: number;
  readonly written: number;
}

export const origin: LogEnd = { index: 0, crc: 0, written: 0 };
const maxSliceRows = 500;
const maxSliceBytes = 1024 * 1024;

export class EntryTable {
  private readonly statements: ReturnType<typeof prepare>;

  constructor(
    connection: Connection,
    private readonly keyring: Keyring,
    /** What the oldest entry follows, if it is not stored itself: the newest snapshot's last entry. */
    private anchor: LogEnd,
    private last: LogEnd,
  ) {
    this.statements = prepare(connection);
  }

  get end(): LogEnd {
    return this.last;
  }

  append(entry: PackedEntry, bytes: Uint8Array, written: number): void {
    const { index, term, kind, from, length } = entry;
    if (index !== this.last.index + 1) {
      throw new Error(`raft log: entry ${index} after ${this.last.index}`);
    }
    const plain = bytes.subarray(from, from + length);
    const data = this.keyring.seal(() => entryPlace(index, term, kind), plain);
    const key = this.keyring.current;
    const row = { log_index: index, term, kind, written, key, data };
    const crc = entryCrc(row, this.last.crc);
    this.statements.insert.run(index, term, kind, written, key, crc, data);
    this.last = { index, crc, written };
  }

  /** Drops every entry from this index on. What a snapshot covers is committed and stays. */
  truncate(from: number): void {
    if (from > this.last.index) return;
    if (from <= this.anchor.index) {
      throw new Error(`raft log: entry ${from} is covered by the snapshot at ${this.anchor.index}`);
    }
    this.statements.deleteFrom.run(from);
    this.last = this.endAt(from - 1);
  }

  /** The checksum of a stored entry, or of the one that the snapshot ends with. */
  endAt(index: number): LogEnd {
    if (index === 0) return origin;
    if (index === this.anchor.index) return this.anchor;
    const row = this.statements.headAt.get(index) as EntryRow | undefined;
    if (row === undefined) throw new Error(`raft log: entry ${index} is not stored`);
    return { index, crc: row.crc, written: row.written };
  }

  termAt(index: number): number | undefined {
    return (this.statements.headAt.get(index) as EntryRow | undefined)?.term;
  }

  /** A snapshot covers the log up to here. */
  setAnchor(anchor: LogEnd): void {
    this.anchor = anchor;
    if (this.last.index < anchor.index) this.last = anchor;
  }

  /** The snapshot takes the place of the log: what is behind it goes now, what it covers goes in slices. */
  cutTo(anchor: LogEnd): void {
    this.statements.deleteFrom.run(anchor.index + 1);
    this.anchor = anchor;
    this.last = anchor;
  }

  /** How far one slice of a compaction up to `index` goes; 0 when nothing is left to delete. */
  sliceEnd(index: number): number {
    // Invariant: what no snapshot stands in for is never deleted from the front.
    const limit = Math.min(index, this.anchor.index);
    const rows = this.statements.oldest.all(limit) as { log_index: number; length: number }[];
    let bytes = 0;
    const last = rows.find(({ length }) => (bytes += length) >= maxSliceBytes) ?? rows.at(-1);
    return last?.log_index ?? 0;
  }

  deleteUpTo(index: number): void {
    this.statements.deleteUpTo.run(index);
  }

  holdsKey(key: number): boolean {
    return this.statements.withKey.get(key) !== undefined;
  }
}

export function entryPlace(index: number, term: number, kind: number): string {
  return `entry ${index} ${term} ${kind}`;
}

export function entryCrc(row: Omit<EntryRow, 'crc'>, previous: number): number {
  const { log_index: index, term, kind, written, key, data } = row;
  const head =
    written === 0 ? `${index} ${term} ${kind} ` : `${index} ${term} ${kind} ${written} ${key} `;
  const headCrc = crc32(head, previous);
  // zlib starts over when its input is empty and without an address.
  return data.length === 0 ? headCrc : crc32(data, headCrc);
}

function prepare(connection: Connection) {
  const sql = (text: string) => connection.prepare(text);
  return {
    insert: sql(
      'INSERT INTO entry (log_index, term, kind, written, key, crc, data) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    deleteFrom: sql('DELETE FROM entry WHERE log_index >= ?'),
    deleteUpTo: sql('DELETE FROM entry WHERE log_index <= ?'),
    headAt: sql('SELECT term, written, crc FROM entry WHERE log_index = ?'),
    oldest: sql(
      `SELECT log_index, length(data) AS length FROM entry WHERE log_index <= ? ORDER BY log_index LIMIT ${maxSliceRows}`,
    ),
    withKey: sql('SELECT 1 FROM entry WHERE key = ? LIMIT 1'),
  };
}
