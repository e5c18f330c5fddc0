// The log in SQLite, as one thread sees it: groups of writes, each group one transaction and one flush, and between them slices
// of everything else. A write is told durable only when its transaction is flushed and marked so.

import type { SnapshotHeader } from '@skein/raft';
import type { CommitMark } from './commit-mark';
import { EntryTable } from './entry-table';
import { anchorOf, type Found } from './examine';
import { encodeIdentity, writeSidecar, type Identity } from './identity';
import type { Keyring } from './keyring';
import { type PackedGroup } from './packed-write';
import { RaftLogError } from './raft-log-error';
import { assertDurability, type Connection } from './schema';
import {
  headerOf,
  SnapshotTable,
  stages,
  type SnapshotPart,
  type SnapshotRow,
} from './snapshot-table';
import { hardStateColumns, stateWriter, type StateRow } from './state-row';

/** Written to the write-ahead log, roughly, before it is copied into the database file. */
export const checkpointBytes = 8 * 1024 * 1024;
const frameBytes = 4_120;
/** A snapshot that a peer has read from this recently stays when a newer one is there. */
const readHoldMs = 30_000;
const vacuumSlicePages = 256;
/** Free pages are reused; a file with more of them than this, and than pages in use, is shortened. */
const keptFreePages = 4_096;

export interface LogParts {
  readonly directory: string;
  readonly connection: Connection;
  readonly keyring: Keyring;
  readonly mark: CommitMark;
  readonly identity: Identity;
}

export interface LogSize {
  /** Length of the database and of its write-ahead log, as far as this is in use. */
  readonly logBytes: number;
  readonly snapshotBytes: number;
  /** Part of `logBytes` that is free to be written again. */
  readonly freeBytes: number;
}

/** A snapshot as its reader names it. */
export interface SnapshotHandle {
  readonly number: number;
  readonly header: SnapshotHeader;
  readonly size: number;
}

export interface SnapshotRead {
  readonly header: SnapshotHeader;
  readonly offset: number;
  readonly size: number;
  readonly data: Uint8Array;
}

export class LogDatabase {
  private readonly statements: ReturnType<typeof prepare>;
  private readonly writeState: (row: StateRow) => void;
  private readonly entries: EntryTable;
  private readonly snapshots: SnapshotTable;
  private hardState: Pick<StateRow, 'term' | 'vote' | 'committed' | 'recovering'>;
  private identity: Identity;
  private sequence: number;
  private uncheckpointedBytes = 0;
  private lastRead = { number: 0, atMs: -Infinity };

  /** With what was found in the file, which must be free of faults. */
  constructor(
    private readonly parts: LogParts,
    found: Pick<Found, 'anchor' | 'end' | 'sequence'> & { readonly state: StateRow },
  ) {
    const { connection, keyring } = parts;
    this.statements = prepare(connection);
    this.writeState = stateWriter(connection);
    this.entries = new EntryTable(connection, keyring, found.anchor, found.end);
    this.snapshots = new SnapshotTable(connection, keyring);
    this.hardState = found.state;
    this.sequence = found.sequence;
    this.identity = parts.identity;
  }

  /** One transaction for the whole group; when it returns, all of it is on disk. Throws on any failure: then give up. */
  commit({ writes, bytes }: PackedGroup): void {
    this.transaction((sequence) => {
      let isStateNew = false;
      for (const { hardState, truncateFrom, entries } of writes) {
        if (truncateFrom !== null) this.entries.truncate(truncateFrom);
        for (const entry of entries) this.entries.append(entry, bytes, sequence);
        if (hardState === null) continue;
        isStateNew = true;
        this.hardState = hardStateColumns(hardState);
      }
      // The transaction's number is on what it wrote last: the log's last entry, or the hard state.
      if (isStateNew || this.entries.end.written !== sequence) this.putState(sequence);
    });
    this.uncheckpointedBytes += bytes.length + 2 * frameBytes * writes.length;
  }

  /** Call it when nobody waits: it copies and flushes. Never truncates the file, whose reuse saves flushing its length. */
  checkpointIfDue(): boolean {
    if (this.uncheckpointedBytes < checkpointBytes) return false;
    this.parts.connection.pragma('wal_checkpoint(PASSIVE)');
    this.uncheckpointedBytes = 0;
    assertDurability(this.parts.connection);
    return true;
  }

  /** Deletes some entries that a snapshot covers; false when none are left up to `index`. */
  compactSlice(index: number): boolean {
    const upTo = this.entries.sliceEnd(index);
    if (upTo === 0) {
      this.dropUnusedKeys();
      return false;
    }
    this.transaction((sequence) => {
      this.entries.deleteUpTo(upTo);
      this.putState(sequence);
    });
    return true;
  }

  /** Gives pages at the file's end back if far more are free than used; false when there is nothing to do. */
  vacuumSlice(): boolean {
    const { pages, free } = this.pageCounts();
    if (free <= Math.max(keptFreePages, pages - free)) return false;
    this.parts.connection.pragma(`incremental_vacuum(${vacuumSlicePages})`);
    this.uncheckpointedBytes += vacuumSlicePages * frameBytes;
    // A file of the first schema can't be shortened; its pages are reused all the same.
    return this.pageCounts().free < free;
  }

  /** What an earlier run left unfinished or superseded is to go; true if there is anything to drop. */
  retireStale(): boolean {
    const newest = this.snapshots.newest();
    const stale = this.snapshots.rows().filter(({ number, stage, log_index }) => {
      if (stage === stages.receiving) return newest !== undefined && log_index <= newest.log_index;
      return stage === stages.saving || (stage === stages.complete && number !== newest?.number);
    });
    if (stale.length > 0) {
      this.transaction(() => {
        for (const row of stale) this.snapshots.put({ ...row, stage: stages.dropping });
      });
    }
    return this.snapshots.rows().some(({ stage }) => stage === stages.dropping);
  }

  beginSnapshot(header: SnapshotHeader): number {
    let number = 0;
    this.transaction(() => ({ number } = this.snapshots.begin(header, stages.saving, 0)));
    return number;
  }

  addChunk(number: number, data: Uint8Array): void {
    this.transaction(() => this.snapshots.addChunk(this.rowOf(number), data));
    this.uncheckpointedBytes += data.length;
  }

  /** From here on the snapshot stands in for the log up to its index. Returns its bytes. */
  finishSnapshot(number: number): number {
    const row = this.rowOf(number);
    const { at: size, crc: chain } = this.snapshots.end(number);
    const newest = this.snapshots.newest();
    this.transaction((sequence) => {
      if (newest !== undefined && newest.log_index > row.log_index) {
        this.snapshots.put({ ...row, stage: stages.dropping });
        return;
      }
      const { crc } = this.entries.endAt(row.log_index);
      this.complete({ ...row, size, chain, entry_crc: crc, written: sequence }, sequence);
    });
    return size;
  }

  abandonSnapshot(number: number): void {
    this.transaction(() => this.snapshots.put({ ...this.rowOf(number), stage: stages.dropping }));
  }

  /** Deletes some chunks of snapshots that are no longer wanted; false when none are left. */
  dropSlice(): boolean {
    let isMore = false;
    this.transaction(() => (isMore = this.snapshots.dropSlice()));
    if (!isMore) this.dropUnusedKeys();
    return isMore;
  }

  /** See RaftLog.readSnapshot. */
  readSnapshot(
    resume: { index: number; term: number; offset: number } | null,
    maxBytes: number,
  ): SnapshotRead | null {
    const held = this.snapshots.rows().find(({ log_index, term, size, stage }) => {
      if (stage !== stages.complete || resume === null) return false;
      return log_index === resume.index && term === resume.term && resume.offset <= size;
    });
    const row = held ?? this.snapshots.newest();
    if (row === undefined) return null;
    const offset = held === undefined || resume === null ? 0 : resume.offset;
    const isEnd = offset === row.size;
    const data = isEnd ? new Uint8Array(0) : this.snapshots.slice(row, offset, maxBytes);
    this.lastRead = { number: row.number, atMs: performance.now() };
    return { header: headerOf(row), offset, size: row.size, data };
  }

  /** See RaftLog.storeChunk. */
  storeChunk(header: SnapshotHeader, offset: number, size: number, data: Uint8Array): number {
    const newest = this.snapshots.newest();
    if (newest !== undefined && newest.log_index >= header.index) return 0;
    let next = 0;
    this.transaction(() => (next = this.receive(header, offset, size, data)));
    this.uncheckpointedBytes += data.length;
    return next;
  }

  /** A snapshot to read from its start: the newest complete one, or the one that is being received for this header. */
  findSnapshot(header: SnapshotHeader | null): SnapshotHandle | null {
    const row = header === null ? this.snapshots.newest() : this.receivingOf(header);
    return row === undefined ? null : { number: row.number, header: headerOf(row), size: row.size };
  }

  readPart(number: number, at: number, previousCrc: number): SnapshotPart {
    return this.snapshots.part(this.rowOf(number), at, previousCrc);
  }

  /** One transaction: the received snapshot counts, and the log is cut to it. `chain` is what reading it all has given. */
  install(number: number, keepSuffix: boolean, chain: number): void {
    const row = this.rowOf(number);
    const { at, crc } = this.snapshots.end(number);
    if (at !== row.size || crc !== chain) {
      const facts = { index: row.log_index, received: at, size: row.size };
      throw new RaftLogError('snapshot_damaged', 'The snapshot is not complete', facts);
    }
    this.transaction((sequence) => {
      const isKept = keepSuffix && this.entries.termAt(row.log_index) === row.term;
      const entry_crc = isKept ? this.entries.endAt(row.log_index).crc : 0;
      const installed = { ...row, chain, entry_crc, written: sequence };
      if (!isKept) this.entries.cutTo(anchorOf(installed));
      this.hardState = {
        ...this.hardState,
        committed: Math.max(this.hardState.committed, row.log_index),
      };
      this.complete(installed, sequence);
    });
  }

  size(): LogSize {
    const { pages, free, pageBytes } = this.pageCounts();
    return {
      logBytes: pages * pageBytes + this.uncheckpointedBytes,
      snapshotBytes: this.snapshots.storedBytes(),
      freeBytes: free * pageBytes,
    };
  }

  setEpoch(epoch: number): void {
    this.putIdentity({ epoch });
  }

  rotateDataKey(): void {
    this.parts.keyring.rotate();
    this.putIdentity({});
    this.dropUnusedKeys();
  }

  changeKey(kek: Uint8Array): void {
    this.parts.keyring.changeKek(kek);
    this.putIdentity({});
  }

  close(): void {
    this.parts.connection.close();
    this.parts.mark.close();
  }

  private transaction(act: (sequence: number) => void): void {
    const sequence = this.sequence + 1;
    this.statements.begin.run();
    try {
      act(sequence);
      this.statements.commit.run();
    } catch (thrown) {
      if (this.parts.connection.inTransaction) this.statements.rollback.run();
      throw thrown;
    }
    this.sequence = sequence;
    const { index, crc, written } = this.entries.end;
    // A transaction that left no number of its own promises nothing: the mark stays.
    if (this.stateWritten === sequence || written === sequence) {
      this.parts.mark.write({ sequence, lastIndex: index, lastCrc: crc });
    }
  }

  private stateWritten = 0;

  private putState(sequence: number): void {
    const { index: last_index, crc: last_crc } = this.entries.end;
    this.writeState({ ...this.hardState, written: sequence, last_index, last_crc });
    this.stateWritten = sequence;
  }

  private complete(row: SnapshotRow, sequence: number): void {
    this.snapshots.put({ ...row, stage: stages.complete });
    this.entries.setAnchor(anchorOf(row));
    this.putState(sequence);
    const { number, atMs } = this.lastRead;
    const heldNumber = performance.now() - atMs < readHoldMs ? number : 0;
    for (const other of this.snapshots.rows()) {
      const isOlder = other.log_index < row.log_index;
      const isHeld = isOlder && other.number === heldNumber && other.stage === stages.complete;
      const isCovered = other.log_index <= row.log_index && other.stage !== stages.saving;
      if (other.number === row.number || isHeld || !isCovered) continue;
      this.snapshots.put({ ...other, stage: stages.dropping });
    }
  }

  private receive(header: SnapshotHeader, offset: number, size: number, data: Uint8Array): number {
    const known = this.receivingOf(header);
    if (known !== undefined && known.size === size) {
      const { at } = this.snapshots.end(known.number);
      if (offset === at && data.length > 0) {
        this.snapshots.addChunk(known, data);
        return at + data.length;
      }
      // From the start again: the same bytes, and it goes on; others, and it starts over.
      const isOther = offset === 0 && !this.beginsWith(known, data);
      if (!isOther) return at;
    }
    // The leader of the day says which one it is: the next leader's newest may be older than what the last one began to send.
    for (const row of this.snapshots.rows()) {
      if (row.stage === stages.receiving) {
        this.snapshots.put({ ...row, stage: stages.dropping });
      }
    }
    const row = this.snapshots.begin(header, stages.receiving, size);
    if (offset !== 0) return 0;
    if (data.length > 0) this.snapshots.addChunk(row, data);
    return data.length;
  }

  private beginsWith(row: SnapshotRow, data: Uint8Array): boolean {
    const first = this.snapshots.firstChunk(row);
    return first !== null && Buffer.compare(first, data) === 0;
  }

  private receivingOf({ index, term }: SnapshotHeader): SnapshotRow | undefined {
    return this.snapshots
      .rows()
      .find(
        (row) => row.stage === stages.receiving && row.log_index === index && row.term === term,
      );
  }

  private rowOf(number: number): SnapshotRow {
    const row = this.snapshots.get(number);
    if (row === undefined || row.stage === stages.dropping) {
      throw new RaftLogError('snapshot_damaged', 'The snapshot is no longer stored', { number });
    }
    return row;
  }

  private dropUnusedKeys(): void {
    const { keyring } = this.parts;
    const old = keyring.ids.filter((id) => id !== keyring.current);
    const unused = old.filter((id) => !this.entries.holdsKey(id) && !this.snapshots.holdsKey(id));
    if (unused.length === 0) return;
    for (const id of unused) keyring.drop(id);
    this.putIdentity({});
  }

  /** The file first: it must know each key before a row needs it, whichever copy is lost. */
  private putIdentity(change: Partial<Identity>): void {
    const generation = this.identity.generation + 1;
    const keys = this.parts.keyring.wrapped();
    this.identity = { ...this.identity, ...change, keys, generation };
    writeSidecar(this.parts.directory, this.identity);
    this.statements.putIdentity.run(encodeIdentity(this.identity));
  }

  private pageCounts() {
    const read = (name: string) => this.parts.connection.pragma(name, { simple: true }) as number;
    const pageBytes = read('page_size');
    return { pages: read('page_count'), free: read('freelist_count'), pageBytes };
  }
}

function prepare(connection: Connection) {
  const sql = (text: string) => connection.prepare(text);
  return {
    begin: sql('BEGIN IMMEDIATE'),
    commit: sql('COMMIT'),
    rollback: sql('ROLLBACK'),
    putIdentity: sql('INSERT OR REPLACE INTO identity (only, line) VALUES (1, ?)'),
  };
}
