// The durable Raft log: takes the core's writes in order and tells when they are on disk, and keeps the snapshots that stand in
// for the log's front. Knows nothing of what an entry means.

import { crc32 } from 'node:zlib';
import type { Configuration, LogWrite, RestoredState, SnapshotHeader } from '@skein/raft';
import type { LogSize } from './log-database';
import { LogLanes } from './log-lanes';
import {
  logWorkerUrl,
  openInThread,
  openInWorker,
  type LogAnswer,
  type LogArguments,
  type LogThread,
  type LogVerb,
} from './log-thread';
import type { LogMeta, RepairReport } from './open-database';
import { isBarrier, packWrites, unpackLog } from './packed-write';
import { RaftLogError } from './raft-log-error';
import type { LogLocation } from './schema';
import { chunkBytes } from './snapshot-table';

export interface RaftLogOptions extends LogLocation {
  /** The cluster's first one: in force until an entry or a snapshot says otherwise. */
  readonly configuration: Configuration;
  /** Incarnation of the cluster, for a directory that is new. Default 0. */
  readonly epoch?: number;
  /** The operator's key. With it everything that is written from now on is encrypted. */
  readonly encryption?: { readonly key: Uint8Array } | null;
  /** The worker's file; default: where the build puts it. `null` runs the log in the caller's thread. */
  readonly worker?: URL | null;
  /** Writes that have become durable, in the order given: all of a group at once. */
  readonly onDurable: (writes: readonly LogWrite[]) => void;
  /** Writing failed: the replica must end, since it can't know what is on disk. Called once. */
  readonly onFailure: (error: RaftLogError) => void;
}

/** A piece of a snapshot, as it travels. Complete with the piece that ends at `size`. */
export interface SnapshotPiece {
  readonly header: SnapshotHeader;
  readonly offset: number;
  /** Of the whole snapshot. */
  readonly size: number;
  readonly data: Uint8Array;
  /** crc32 of `data`. */
  readonly crc: number;
}

export interface StoredSnapshot {
  readonly header: SnapshotHeader;
  readonly size: number;
}

export interface ResumePoint {
  readonly index: number;
  readonly term: number;
  readonly offset: number;
}

/** Writes of one transaction; more wait for the next. */
export const maxGroupWrites = 256;

export class RaftLog {
  private hasFailed = false;
  private isRetiring = false;
  private compactTo = 0;
  private closed: Promise<void> | undefined;
  private epoch: number;
  private readonly lanes: LogLanes<LogWrite>;
  private saving: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly options: RaftLogOptions,
    private readonly thread: LogThread,
    /** What was on disk; `entries` begin after the snapshot. */
    readonly restored: RestoredState,
  ) {
    this.epoch = thread.restored.meta.epoch;
    this.lanes = new LogLanes<LogWrite>({
      commit: (writes) => this.commit(writes),
      committed: (writes) => this.options.onDurable(writes),
      failed: (thrown) => this.failed(RaftLogError.from(thrown)),
      maxGroup: maxGroupWrites,
    });
  }

  /** Throws a RaftLogError that says what is wrong and what to do. */
  static async open(options: RaftLogOptions): Promise<RaftLog> {
    const { directory, clusterId, replicaId, epoch = 0, encryption } = options;
    const { worker = logWorkerUrl() } = options;
    const location = { directory, clusterId, replicaId, epoch, key: encryption?.key ?? null };
    const thread = await (worker === null
      ? openInThread(location)
      : openInWorker(location, worker));
    const log = new RaftLog(options, thread, restoredState(thread, options.configuration));
    if (thread.restored.hasStale) log.retire();
    return log;
  }

  /** Damage that was found when the log was opened; null if there was none. */
  get repair(): RepairReport | null {
    return this.thread.restored.repair;
  }

  get meta(): LogMeta {
    return { ...this.thread.restored.meta, epoch: this.epoch };
  }

  write(write: LogWrite): void {
    this.lanes.write(write);
  }

  /** How long the disk has been at what it does, be it a write or a slice; 0 if nothing. Times are `performance.now()`. */
  outstandingMs(nowMs: number): number {
    return this.lanes.outstandingMs(nowMs);
  }

  /**
   * Entries up to `index` may go, as far as a durable snapshot covers them. They leave in slices, when the writes let them.
   */
  compact(index: number): void {
    this.compactTo = Math.max(this.compactTo, index);
    this.retire();
  }

  /**
   * Stores a snapshot of everything up to the header's index, whose entry must be durable. Pulls its bytes when it can store
   * them, 256 KiB or less at a time, until `next` gives null. Durable when it resolves; older snapshots are dropped then.
   * Rejects, storing nothing, if `next` throws.
   */
  saveSnapshot(
    header: SnapshotHeader,
    next: (maxBytes: number) => Uint8Array | null,
  ): Promise<StoredSnapshot> {
    const saved = this.saving.then(() => this.save(header, next));
    this.saving = saved.catch(() => undefined);
    return saved;
  }

  /**
   * A piece of a snapshot to send: of the one that `resume` names from there on, if it is still held, else of the newest from
   * its start. Null if there is none. Rejects with `snapshot_damaged` if the disk has lost it.
   */
  async readSnapshot(resume: ResumePoint | null, maxBytes: number): Promise<SnapshotPiece | null> {
    const read = await this.slice('readSnapshot', [resume, maxBytes]);
    return read && { ...read, crc: crc32(read.data) };
  }

  /**
   * Stores a received piece, if it is the wanted one and, where `crc` is given, if that is its crc32. Resolves, when it is
   * durable, to the offset that is wanted next: `size` when all is there, 0 to start over.
   */
  storeChunk(
    header: SnapshotHeader,
    offset: number,
    size: number,
    data: Uint8Array,
    crc?: number,
  ): Promise<number> {
    const isWhole = crc === undefined || crc32(data) === crc;
    // A piece that is refused asks what is wanted, as one of no bytes at the end does.
    const own = new Uint8Array(isWhole ? data : []);
    const from = isWhole ? offset : size;
    return this.inTurn(() =>
      this.thread.ask('storeChunk', [header, from, size, own], [own.buffer]),
    );
  }

  /**
   * The received snapshot takes the place of the log up to its index, and of all of it unless `keepSuffix`. Its bytes are
   * verified first and given to `push`, in order; `complete` is called after the last, before anything is changed. Rejects with
   * `snapshot_damaged`, or what either throws, and changes nothing.
   */
  async install(
    header: SnapshotHeader,
    keepSuffix: boolean,
    push: (bytes: Uint8Array) => void = () => undefined,
    complete: () => void = () => undefined,
  ): Promise<void> {
    const handle = await this.slice('findSnapshot', [header]);
    if (handle === null) {
      const { index, term } = header;
      throw new RaftLogError('snapshot_damaged', 'The snapshot was not received', { index, term });
    }
    try {
      const chain = await this.readAll(handle, push);
      complete();
      await this.slice('install', [handle.number, keepSuffix, chain]);
    } catch (thrown) {
      if (!this.hasFailed) await this.slice('abandonSnapshot', [handle.number]);
      throw thrown;
    } finally {
      this.compactTo = Math.max(this.compactTo, header.index);
      this.retire();
    }
  }

  /** Gives the newest snapshot's verified bytes to `push`, in order, and resolves to its header; null if there is none. */
  async loadSnapshot(push: (bytes: Uint8Array) => void): Promise<SnapshotHeader | null> {
    const handle = await this.slice('findSnapshot', [null]);
    if (handle === null) return null;
    await this.readAll(handle, push);
    return handle.header;
  }

  size(): Promise<LogSize> {
    return this.slice('size', []);
  }

  async setEpoch(epoch: number): Promise<void> {
    await this.slice('setEpoch', [epoch]);
    this.epoch = epoch;
  }

  /** What is written from now on is under a new data key; the old one goes when no row needs it. */
  rotateDataKey(): Promise<void> {
    return this.slice('rotateDataKey', []);
  }

  /** The data keys are wrapped by this key from now on; rows stay as they are. */
  changeKey(newKek: Uint8Array): Promise<void> {
    return this.slice('changeKey', [newKek]);
  }

  /** Waits for nothing: what is not yet durable was promised to nobody. */
  close(): Promise<void> {
    this.hasFailed = true;
    this.lanes.stop(new RaftLogError('closed', 'The log is closed'));
    this.closed ??= this.thread.close();
    return this.closed;
  }

  private async commit(writes: readonly LogWrite[]): Promise<void> {
    const stored = writes.filter((write) => !isBarrier(write));
    if (stored.length === 0) return;
    const group = packWrites(stored);
    await this.thread.ask('commit', [group], [group.bytes.buffer]);
  }

  private async save(
    header: SnapshotHeader,
    next: (maxBytes: number) => Uint8Array | null,
  ): Promise<StoredSnapshot> {
    const number = await this.slice('beginSnapshot', [header]);
    try {
      for (;;) {
        const isMore = await this.inTurn(async () => {
          const data = next(chunkBytes);
          if (data !== null && data.length > 0) await this.addChunk(number, data);
          return data !== null;
        });
        if (!isMore) break;
      }
    } catch (thrown) {
      if (!this.hasFailed) await this.slice('abandonSnapshot', [number]);
      this.retire();
      throw thrown;
    }
    const size = await this.slice('finishSnapshot', [number]);
    this.retire();
    return { header, size };
  }

  private addChunk(number: number, data: Uint8Array): Promise<void> {
    // Only the bytes themselves travel, not the buffer that they may be a view on.
    const own = new Uint8Array(data);
    return this.thread.ask('addChunk', [number, own], [own.buffer]);
  }

  private async readAll(
    { number, size }: { number: number; size: number },
    push: (bytes: Uint8Array) => void,
  ): Promise<number> {
    let at = 0;
    let crc = 0;
    while (at < size) {
      const part = await this.slice('readPart', [number, at, crc]);
      push(part.data);
      at += part.data.length;
      crc = part.crc;
    }
    return crc;
  }

  /** Deletes what is no longer wanted, slice after slice, until nothing is left. */
  private retire(): void {
    if (this.isRetiring) return;
    this.isRetiring = true;
    void this.retireAll()
      // A failure has been told already; a log that was closed goes on when it is opened again.
      .catch(() => undefined)
      .finally(() => (this.isRetiring = false));
  }

  private async retireAll(): Promise<void> {
    for (;;) {
      const index = this.compactTo;
      if (index > 0 && (await this.slice('compactSlice', [index]))) continue;
      if (await this.slice('dropSlice', [])) continue;
      if (await this.slice('vacuumSlice', [])) continue;
      if (index === this.compactTo) return;
    }
  }

  private slice<V extends LogVerb>(verb: V, args: LogArguments<V>): Promise<LogAnswer<V>> {
    return this.inTurn(() => this.thread.ask(verb, args));
  }

  private async inTurn<T>(act: () => Promise<T>): Promise<T> {
    const stopped = () => new RaftLogError('closed', 'The log is closed');
    return this.lanes.slice(async () => {
      try {
        return await act();
      } catch (thrown) {
        if (thrown instanceof RaftLogError && !thrown.isRefusal) this.failed(thrown);
        throw thrown;
      }
    }, stopped);
  }

  private failed(error: RaftLogError): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.lanes.stop(error);
    this.options.onFailure(error);
  }
}

/** Configurations among the entries are for the core to find: it must be able to go back. */
function restoredState(thread: LogThread, initial: Configuration): RestoredState {
  const { hardState, snapshot } = thread.restored;
  const entries = unpackLog(thread.restored);
  if (snapshot === null) return { hardState, entries, configuration: initial };
  return { hardState, entries, snapshot, configuration: snapshot.configuration };
}

export function openRaftLog(options: RaftLogOptions): Promise<RaftLog> {
  return RaftLog.open(options);
}
