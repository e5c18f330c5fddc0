// The durable log as the core's port: starts what the core asks for and brings the answers. Decides nothing; what the log can't do
// any more ends the replica by the log's own word.

import { RaftLogError, type RaftLog } from '@skein/raft-sqlite';
import type { HardState, LogWrite, SnapshotHeader, SnapshotTask } from '@skein/raft';
import type { LogPort, ReplicaCore } from '@skein/replica';
import { createStore, Store, StoreSnapshotError, type SnapshotSource } from '@skein/store';

/** Weight of the newest write in the latency that is told. */
const latencyWeight = 0.1;

export class LogEdge implements LogPort {
  private pending = 0;
  private startedAt = 0;
  private averageMs = 0;
  private kept: (() => void) | undefined;

  constructor(
    private readonly log: RaftLog,
    private readonly core: () => ReplicaCore,
    private readonly onFailure: (error: Error) => void,
  ) {}

  write(write: LogWrite): void {
    if (this.pending === 0) this.startedAt = performance.now();
    this.pending += 1;
    this.log.write(write);
  }

  /** For an empty log whose core does not run yet. Durable when it resolves. */
  keep(hardState: HardState): Promise<void> {
    const nothing = { truncateFrom: null, entries: [], lastIndex: 0, lastTerm: 0, then: [] };
    return new Promise((resolve) => {
      this.kept = resolve;
      this.log.write({ id: 0, hardState, ...nothing });
    });
  }

  durable(writes: readonly LogWrite[]): void {
    if (this.kept !== undefined) {
      this.kept();
      this.kept = undefined;
      return;
    }
    const now = performance.now();
    this.averageMs += (now - this.startedAt - this.averageMs) * latencyWeight;
    this.startedAt = now;
    this.pending -= writes.length;
    this.core().durable(writes);
  }

  latencyMs(): number {
    return Math.round(this.averageMs * 100) / 100;
  }

  compact(index: number): void {
    this.log.compact(index);
  }

  saveSnapshot(header: SnapshotHeader, source: SnapshotSource): void {
    this.log
      .saveSnapshot(header, (maxBytes) => source.next(maxBytes))
      .finally(() => source.close())
      .then(
        ({ size }) => this.core().snapshotSaved(header, size),
        (thrown: unknown) => this.core().snapshotFailed(header, reasonOf(thrown)),
      )
      .catch(this.onFailure);
  }

  readSnapshot({ to, resume, maxBytes }: Extract<SnapshotTask, { kind: 'read' }>): void {
    this.log
      .readSnapshot(resume, maxBytes)
      .catch((thrown: unknown) => {
        const isDamaged = thrown instanceof RaftLogError && thrown.code === 'snapshot_damaged';
        if (isDamaged) this.core().snapshotDamaged();
        return null;
      })
      .then((piece) => {
        if (piece === null) this.core().input({ kind: 'snapshotUnavailable', to });
        else this.core().input({ kind: 'snapshotChunk', to, ...piece });
      })
      .catch(this.onFailure);
  }

  storeChunk(task: Extract<SnapshotTask, { kind: 'store' }>): void {
    const { header, offset, size, data, crc } = task;
    const { index, term } = header;
    this.log
      .storeChunk(header, offset, size, data, crc)
      .then((wanted) => this.core().input({ kind: 'snapshotStored', index, term, offset: wanted }))
      .catch((thrown: unknown) => this.refused(thrown));
  }

  install({ header, keepSuffix }: Extract<SnapshotTask, { kind: 'install' }>): void {
    const loader = Store.loader();
    let store = createStore();
    // Whole before it is durable: a log whose snapshot can't be loaded could never be opened again.
    const complete = () => (store = loader.finish());
    this.log
      .install(header, keepSuffix, (bytes) => loader.push(bytes), complete)
      .then(
        () => this.core().installed(header, store),
        (thrown: unknown) => {
          this.refused(thrown);
          this.core().installRejected(header);
        },
      )
      .catch(this.onFailure);
  }

  /** A log that has failed says so itself; what it merely refused needs no end. */
  private refused(thrown: unknown): void {
    if (thrown instanceof RaftLogError || thrown instanceof StoreSnapshotError) return;
    this.onFailure(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
