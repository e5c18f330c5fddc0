// The durable Raft log: takes the core's writes in order and tells when they are on disk. While one transaction is in flight
// the next writes gather, and go together. Knows nothing of what an entry means, but for the configuration it must restore.

import {
  decodeConfiguration,
  type Configuration,
  type LogEntry,
  type LogWrite,
  type RestoredState,
} from '@skein/raft';
import { logWorkerUrl, openInThread, openInWorker, type LogThread } from './log-thread';
import { isBarrier, packWrites, unpackLog } from './packed-write';
import { RaftLogError } from './raft-log-error';
import type { LogLocation } from './schema';

export interface RaftLogOptions extends LogLocation {
  /** In force until an entry of the log says otherwise. */
  readonly configuration: Configuration;
  /** The worker's file; default: where the build puts it. `null` runs the log in the caller's thread. */
  readonly worker?: URL | null;
  /** Writes that have become durable, in the order given: all of a group at once. */
  readonly onDurable: (writes: readonly LogWrite[]) => void;
  /** Writing failed: the replica must end, since it can't know what is on disk. Called once. */
  readonly onFailure: (error: RaftLogError) => void;
}

/** Writes of one transaction; more wait for the next. */
export const maxGroupWrites = 256;

export class RaftLog {
  private queue: LogWrite[] = [];
  private inFlight: readonly LogWrite[] = [];
  private startedAt = 0;
  private hasFailed = false;
  private closed: Promise<void> | undefined;

  private constructor(
    private readonly options: RaftLogOptions,
    private readonly thread: LogThread,
    readonly restored: RestoredState,
  ) {}

  /** Throws a RaftLogError that says what is wrong and what to do. */
  static async open(options: RaftLogOptions): Promise<RaftLog> {
    const { directory, clusterId, replicaId, worker = logWorkerUrl() } = options;
    const location = { directory, clusterId, replicaId };
    const thread = await (worker === null
      ? openInThread(location)
      : openInWorker(location, worker));
    const entries = unpackLog(thread.restored);
    const { hardState } = thread.restored;
    const configuration = lastConfiguration(entries) ?? options.configuration;
    return new RaftLog(options, thread, { hardState, entries, configuration });
  }

  write(write: LogWrite): void {
    this.queue.push(write);
    if (this.inFlight.length === 0) this.commitNext();
  }

  /** How long the oldest unfinished transaction has been running; 0 if there is none. Times are `performance.now()`. */
  outstandingMs(nowMs: number): number {
    return this.inFlight.length === 0 ? 0 : nowMs - this.startedAt;
  }

  /** Waits for nothing: what is not yet durable was promised to nobody. */
  close(): Promise<void> {
    this.hasFailed = true;
    this.closed ??= this.thread.close();
    return this.closed;
  }

  private commitNext(): void {
    this.inFlight = this.queue.splice(0, maxGroupWrites);
    if (this.inFlight.length === 0) return;
    this.startedAt = performance.now();
    this.commit(this.inFlight).then(
      () => this.completed(),
      (thrown: unknown) => this.failed(RaftLogError.from(thrown)),
    );
  }

  private async commit(writes: readonly LogWrite[]): Promise<void> {
    const stored = writes.filter((write) => !isBarrier(write));
    if (stored.length > 0) await this.thread.commit(packWrites(stored));
  }

  private completed(): void {
    if (this.hasFailed) return;
    const writes = this.inFlight;
    this.inFlight = [];
    // Started first, so that the disk works while the core does.
    this.commitNext();
    this.options.onDurable(writes);
  }

  private failed(error: RaftLogError): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.options.onFailure(error);
  }
}

function lastConfiguration(entries: readonly LogEntry[]): Configuration | undefined {
  const entry = entries.findLast(({ kind }) => kind === 'configuration');
  return (entry && decodeConfiguration(entry.data)) ?? undefined;
}

export function openRaftLog(options: RaftLogOptions): Promise<RaftLog> {
  return RaftLog.open(options);
}
