// The log in SQLite, as one thread sees it: restore once, then commit groups of writes, each group one transaction and one
// fsync. Each entry's checksum covers the one before it, so that no entry can change, vanish or move unseen.

import { crc32 } from 'node:zlib';
import type { HardState } from '@skein/raft';
import { type PackedEntry, type PackedGroup, type PackedLog } from './packed-write';
import { RaftLogError } from './raft-log-error';
import { assertDurability, openConnection, type Connection, type LogLocation } from './schema';

/** Written to the write-ahead log, roughly, before it is copied into the database file. */
export const checkpointBytes = 8 * 1024 * 1024;
const frameBytes = 4_120;

export interface RestoredLog extends PackedLog {
  readonly hardState: HardState;
}

interface EntryRow {
  readonly log_index: number;
  readonly term: number;
  readonly kind: number;
  readonly crc: number;
  readonly data: Buffer;
}

export class LogDatabase {
  private readonly connection: Connection;
  private readonly statements: ReturnType<typeof prepare>;
  private uncheckpointedBytes = 0;
  private lastIndex = 0;
  private lastCrc = 0;

  private constructor(location: LogLocation) {
    this.connection = openConnection(location);
    this.statements = prepare(this.connection);
  }

  /** Reads and verifies everything. Throws a RaftLogError that names the first index that can't be trusted. */
  static open(location: LogLocation): { database: LogDatabase; restored: RestoredLog } {
    const database = new LogDatabase(location);
    try {
      return { database, restored: database.restore() };
    } catch (thrown) {
      database.close();
      throw thrown;
    }
  }

  private restore(): RestoredLog {
    const length = this.statements.totalBytes.get() as number;
    const bytes = new Uint8Array(length);
    const entries: PackedEntry[] = [];
    let from = 0;
    for (const row of this.statements.allEntries.iterate() as IterableIterator<EntryRow>) {
      this.verify(row);
      bytes.set(row.data, from);
      const { log_index: index, term, kind } = row;
      entries.push({ index, term, kind, from, length: row.data.length });
      from += row.data.length;
    }
    return { entries, bytes, hardState: this.readHardState() };
  }

  /** One transaction for the whole group; when it returns, all of it is on disk. Throws on any failure: then give up. */
  commit({ writes, bytes }: PackedGroup): void {
    this.statements.begin.run();
    for (const { hardState, truncateFrom, entries } of writes) {
      if (truncateFrom !== null) this.truncate(truncateFrom);
      for (const entry of entries) this.append(entry, bytes);
      if (hardState !== null) {
        this.statements.setHardState.run(hardState.term, hardState.vote, hardState.commit);
      }
    }
    this.statements.commit.run();
    this.uncheckpointedBytes += bytes.length + 2 * frameBytes * writes.length;
  }

  /** Call it when nobody waits: it copies and flushes. Never truncates the file, whose reuse saves flushing its length. */
  checkpointIfDue(): boolean {
    if (this.uncheckpointedBytes < checkpointBytes) return false;
    this.connection.pragma('wal_checkpoint(PASSIVE)');
    this.uncheckpointedBytes = 0;
    assertDurability(this.connection);
    return true;
  }

  close(): void {
    this.connection.close();
  }

  private append(entry: PackedEntry, bytes: Uint8Array): void {
    const { index, term, kind, from, length } = entry;
    if (index !== this.lastIndex + 1) {
      throw new Error(`raft log: entry ${index} after ${this.lastIndex}`);
    }
    const data = bytes.subarray(from, from + length);
    this.lastCrc = chainedCrc(entry, data, this.lastCrc);
    this.lastIndex = index;
    this.statements.insertEntry.run(index, term, kind, this.lastCrc, data);
  }

  private truncate(from: number): void {
    if (from > this.lastIndex) return;
    this.statements.deleteFrom.run(from);
    this.lastIndex = from - 1;
    this.lastCrc = (this.statements.crcAt.get(this.lastIndex) as number | undefined) ?? 0;
  }

  private verify(row: EntryRow): void {
    const { log_index: index, term, kind, crc, data } = row;
    const expected = chainedCrc({ index, term, kind }, data, this.lastCrc);
    if (index !== this.lastIndex + 1 || crc !== expected) {
      const corruptFrom = this.lastIndex + 1;
      const message = `Entry ${corruptFrom} of the log is missing or damaged`;
      throw new RaftLogError('log_corrupt', message, { corruptFrom });
    }
    this.lastIndex = index;
    this.lastCrc = crc;
  }

  private readHardState(): HardState {
    const row = this.statements.getHardState.get() as HardState | undefined;
    const hardState = row ?? { term: 0, vote: null, commit: 0 };
    // What was committed was durable first: fewer entries mean that some went missing from the end.
    if (hardState.commit > this.lastIndex) {
      const corruptFrom = this.lastIndex + 1;
      const message = `The log ends at ${this.lastIndex}, but ${hardState.commit} was committed`;
      throw new RaftLogError('log_corrupt', message, { corruptFrom });
    }
    return hardState;
  }
}

function chainedCrc(
  head: { index: number; term: number; kind: number },
  data: Uint8Array,
  previous: number,
): number {
  const { index, term, kind } = head;
  const headCrc = crc32(`${index} ${term} ${kind} `, previous);
  // zlib starts over when its input is empty and without an address.
  return data.length === 0 ? headCrc : crc32(data, headCrc);
}

function prepare(connection: Connection) {
  const sql = (text: string) => connection.prepare(text);
  return {
    begin: sql('BEGIN IMMEDIATE'),
    commit: sql('COMMIT'),
    insertEntry: sql(
      'INSERT INTO entries (log_index, term, kind, crc, data) VALUES (?, ?, ?, ?, ?)',
    ),
    deleteFrom: sql('DELETE FROM entries WHERE log_index >= ?'),
    crcAt: sql('SELECT crc FROM entries WHERE log_index = ?').pluck(),
    allEntries: sql('SELECT log_index, term, kind, crc, data FROM entries ORDER BY log_index'),
    totalBytes: sql('SELECT coalesce(sum(length(data)), 0) FROM entries').pluck(),
    getHardState: sql('SELECT term, vote, committed AS "commit" FROM hard_state'),
    setHardState: sql(
      'INSERT INTO hard_state (only, term, vote, committed) VALUES (1, ?, ?, ?) ' +
        'ON CONFLICT (only) DO UPDATE SET term = excluded.term, vote = excluded.vote, committed = excluded.committed',
    ),
  };
}
