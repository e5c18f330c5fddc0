// Snapshots as rows: one row for each snapshot and one for each of its chunks, whose checksums are chained. A snapshot grows
// chunk by chunk, becomes complete in one transaction, and leaves in slices. The caller holds the transaction.

import { crc32 } from 'node:zlib';
import type { Configuration, SnapshotHeader } from '@skein/raft';
import { sealedOverheadBytes, type Keyring } from './keyring';
import { RaftLogError } from './raft-log-error';
import type { Connection } from './schema';

/** The number on disk: append only. */
export const stages = { receiving: 0, saving: 1, complete: 2, dropping: 3 } as const;

export interface SnapshotRow {
  readonly number: number;
  readonly log_index: number;
  readonly term: number;
  readonly configuration: string;
  /** Bytes in all; known from the start for one that is received. */
  readonly size: number;
  readonly stage: number;
  /** The last chunk's checksum, once complete. */
  readonly chain: number;
  /** The checksum of the entry at log_index, which the next entry's covers; 0 if the log starts anew after it. */
  readonly entry_crc: number;
  readonly written: number;
}

export interface ChunkRow {
  readonly place: number;
  readonly key: number;
  readonly crc: number;
  readonly data: Uint8Array;
}

export interface SnapshotPart {
  readonly data: Uint8Array;
  /** Of the chunk, chained: give it back for the next one. */
  readonly crc: number;
}

/** Bytes of a chunk that this replica writes itself. */
export const chunkBytes = 256 * 1024;
export const maxSnapshotBytes = 2 ** 32 - 1;
const dropSliceChunks = 4;

/** A chunk's row number: its snapshot's number and where in it the chunk begins. */
export function chunkPlace(number: number, at: number): number {
  return number * 2 ** 32 + at;
}

export function headerOf(row: SnapshotRow): SnapshotHeader {
  const { log_index: index, term } = row;
  return { index, term, ...(JSON.parse(row.configuration) as { configuration: Configuration }) };
}

export function snapshotCrc(row: SnapshotRow): number {
  const { number, log_index, term, configuration, size, stage, chain, entry_crc, written } = row;
  return crc32(
    JSON.stringify([
      number,
      log_index,
      term,
      configuration,
      size,
      stage,
      chain,
      entry_crc,
      written,
    ]),
  );
}

export function chunkCrc(at: number, key: number, data: Uint8Array, previous: number): number {
  const head = crc32(`${at} ${key} `, previous);
  return data.length === 0 ? head : crc32(data, head);
}

/** The chunk's bytes, if it is what was stored there. */
export function openChunk(
  keyring: Keyring,
  { log_index, term }: SnapshotRow,
  chunk: ChunkRow,
  previous: number,
): Uint8Array | null {
  const at = chunk.place % 2 ** 32;
  if (chunkCrc(at, chunk.key, chunk.data, previous) !== chunk.crc) return null;
  return keyring.open(chunk.key, () => `chunk ${log_index} ${term} ${at}`, chunk.data);
}

export class SnapshotTable {
  private readonly statements: ReturnType<typeof prepare>;

  constructor(
    connection: Connection,
    private readonly keyring: Keyring,
  ) {
    this.statements = prepare(connection);
  }

  /** Starts one; the number names it from then on. */
  begin(header: SnapshotHeader, stage: 0 | 1, size: number): SnapshotRow {
    if (size > maxSnapshotBytes) throw new Error(`raft log: a snapshot of ${size} bytes`);
    const taken = new Set(this.rows().map(({ number }) => number));
    let number = 1;
    while (taken.has(number)) number += 1;
    const { index, term, ...rest } = header;
    const configuration = JSON.stringify(rest);
    const head = { number, log_index: index, term, configuration, size, stage };
    const row = { ...head, chain: 0, entry_crc: 0, written: 0 };
    this.put(row);
    return row;
  }

  addChunk(row: SnapshotRow, data: Uint8Array): void {
    const { at, crc: previous } = this.end(row.number);
    if (at + data.length > maxSnapshotBytes) {
      throw new Error('raft log: a snapshot of more than 4 GiB');
    }
    const { log_index, term } = row;
    const sealed = this.keyring.seal(() => `chunk ${log_index} ${term} ${at}`, data);
    const key = this.keyring.current;
    const crc = chunkCrc(at, key, sealed, previous);
    this.statements.insertChunk.run(chunkPlace(row.number, at), key, crc, sealed);
  }

  /** How far a snapshot has come: where its next chunk begins, and the last one's checksum. */
  end(number: number): { at: number; crc: number } {
    const row = this.statements.lastChunk.get(
      chunkPlace(number, 0),
      chunkPlace(number, maxSnapshotBytes),
    ) as { place: number; key: number; crc: number; length: number } | undefined;
    if (row === undefined) return { at: 0, crc: 0 };
    const { place, key, crc, length } = row;
    return { at: (place % 2 ** 32) + length - (key === 0 ? 0 : sealedOverheadBytes), crc };
  }

  rows(): SnapshotRow[] {
    return this.statements.rows.all() as SnapshotRow[];
  }

  get(number: number): SnapshotRow | undefined {
    return this.rows().find((row) => row.number === number);
  }

  newest(): SnapshotRow | undefined {
    return this.rows()
      .filter(({ stage }) => stage === stages.complete)
      .sort((one, other) => other.log_index - one.log_index)[0];
  }

  put(row: SnapshotRow): void {
    const { number, log_index, term, configuration, size, stage, chain, entry_crc, written } = row;
    const values = [log_index, term, configuration, size, stage, chain, entry_crc, written];
    this.statements.putRow.run(number, ...values, snapshotCrc(row));
  }

  /** The chunk that begins at `at`. Throws `snapshot_damaged` unless it is what was stored after `previous`. */
  part(row: SnapshotRow, at: number, previous: number): SnapshotPart {
    const place = chunkPlace(row.number, at);
    const chunk = this.statements.chunkAt.get(place) as ChunkRow | undefined;
    const data = chunk === undefined ? null : openChunk(this.keyring, row, chunk, previous);
    if (chunk === undefined || data === null) throw damaged(row, at);
    return { data, crc: chunk.crc };
  }

  /** Some bytes from `offset` on: at most `maxBytes`, and of one chunk. */
  slice(row: SnapshotRow, offset: number, maxBytes: number): Uint8Array {
    const first = chunkPlace(row.number, 0);
    const found = this.statements.chunksUpTo.all(first, first + offset) as ChunkRow[];
    const [chunk, before] = found;
    const data = chunk && openChunk(this.keyring, row, chunk, before?.crc ?? 0);
    if (!chunk || !data) throw damaged(row, offset);
    const from = offset - (chunk.place - first);
    return data.slice(from, from + maxBytes);
  }

  /** Null if there is none, or it is not what was stored. */
  firstChunk(row: SnapshotRow): Uint8Array | null {
    const first = this.statements.chunkAt.get(chunkPlace(row.number, 0)) as ChunkRow | undefined;
    return first === undefined ? null : openChunk(this.keyring, row, first, 0);
  }

  /** Deletes some chunks of what is to go; false when nothing is left to delete. */
  dropSlice(): boolean {
    const row = this.rows().find(({ stage }) => stage === stages.dropping);
    if (row === undefined) return false;
    const range = [chunkPlace(row.number, 0), chunkPlace(row.number, maxSnapshotBytes)];
    const { changes } = this.statements.dropChunks.run(...range);
    if (changes < dropSliceChunks) this.statements.dropRow.run(row.number);
    return true;
  }

  holdsKey(key: number): boolean {
    return this.statements.withKey.get(key) !== undefined;
  }

  storedBytes(): number {
    return this.statements.storedBytes.get() as number;
  }
}

function damaged({ log_index: index, term }: SnapshotRow, at: number): RaftLogError {
  const message = `The snapshot at ${index} is damaged at byte ${at}`;
  return new RaftLogError('snapshot_damaged', message, { index, term, at });
}

function prepare(connection: Connection) {
  const sql = (text: string) => connection.prepare(text);
  return {
    rows: sql('SELECT * FROM snapshot ORDER BY number'),
    putRow: sql('INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    dropRow: sql('DELETE FROM snapshot WHERE number = ?'),
    insertChunk: sql('INSERT INTO chunk (place, key, crc, data) VALUES (?, ?, ?, ?)'),
    chunkAt: sql('SELECT place, key, crc, data FROM chunk WHERE place = ?'),
    chunksUpTo: sql(
      'SELECT place, key, crc, data FROM chunk WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 2',
    ),
    lastChunk: sql(
      'SELECT place, key, crc, length(data) AS length FROM chunk WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1',
    ),
    dropChunks: sql(
      `DELETE FROM chunk WHERE place IN (SELECT place FROM chunk WHERE place BETWEEN ? AND ? LIMIT ${dropSliceChunks})`,
    ),
    withKey: sql('SELECT 1 FROM chunk WHERE key = ? LIMIT 1'),
    storedBytes: sql('SELECT coalesce(sum(length(data)), 0) FROM chunk').pluck(),
  };
}
