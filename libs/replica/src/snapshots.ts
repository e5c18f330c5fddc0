// When this replica keeps a snapshot of its own state, and what of the log may go then. One at a time, and none while another
// replica's is being installed. Knows neither disk nor what the state holds.

import type { SnapshotHeader, SnapshotTask } from '@skein/raft';
import type { SnapshotSource } from '@skein/store';
import type { LogPort, ReplicaFact } from './types';

export interface SnapshotPolicy {
  /** Entries since the last snapshot after which the next is due; voters take theirs one after the other, the last at up to half as much again. */
  readonly snapshotEntries: number;
  /** Bytes of log since the last snapshot after which the next is due; at least as many as that snapshot has. */
  readonly snapshotBytes: number;
  /** Entries before a snapshot that stay, for followers that are a little behind. */
  readonly trailingEntries: number;
}

export const snapshotDefaults: SnapshotPolicy = {
  snapshotEntries: 20_000,
  snapshotBytes: 64 * 1024 * 1024,
  trailingEntries: 5_000,
};

/** After a failure the next attempt waits for this many further entries. */
const retryEntries = 1_000;

export interface SnapshotsPorts {
  readonly log: Pick<LogPort, 'saveSnapshot' | 'compact'>;
  appliedIndex(): number;
  header(index: number): SnapshotHeader | null;
  source(): SnapshotSource;
  /** Entries up to `index` leave the core's memory. */
  forget(index: number): void;
  /** From 0 to below 1, another one for each voter. */
  lateness(): number;
  said(fact: ReplicaFact): void;
}

export class Snapshots {
  /** Of the newest durable snapshot, own or installed. */
  index: number;
  private bytesSince = 0;
  private lastBytes = 0;
  private notBefore = 0;
  private saving: SnapshotHeader | undefined;
  private isDamaged = false;
  private compacted = 0;

  constructor(
    private readonly ports: SnapshotsPorts,
    private readonly policy: SnapshotPolicy,
    restored: SnapshotHeader | undefined,
  ) {
    this.index = restored?.index ?? 0;
  }

  applied(bytes: number): void {
    this.bytesSince += bytes;
  }

  tick(isInstalling: boolean): void {
    if (this.saving !== undefined || isInstalling || !this.isDue()) return;
    const header = this.ports.header(this.ports.appliedIndex());
    if (header === null) return;
    this.saving = header;
    this.bytesSince = 0;
    this.ports.log.saveSnapshot(header, this.ports.source());
  }

  saved(header: SnapshotHeader, bytes: number): void {
    this.saving = undefined;
    if (header.index < this.index) return;
    this.isDamaged = false;
    this.index = header.index;
    this.lastBytes = bytes;
    this.ports.said({ kind: 'snapshotSaved', index: header.index, bytes });
    this.compactTo(header.index - this.policy.trailingEntries);
  }

  failed(header: SnapshotHeader, reason: string): void {
    this.saving = undefined;
    this.notBefore = this.ports.appliedIndex() + retryEntries;
    this.ports.said({ kind: 'snapshotFailed', index: header.index, reason });
  }

  /**
   * The disk has lost what the newest one held. Whoever needs it waits for the next, which is due at once, though the state be
   * the same: until somebody writes there may be no other.
   */
  damaged(): void {
    if (this.isDamaged) return;
    this.isDamaged = true;
    this.ports.said({ kind: 'snapshotDamaged', index: this.index });
  }

  /** Another replica's snapshot has taken the place of log and state. */
  installed(header: SnapshotHeader): void {
    this.isDamaged = false;
    this.index = Math.max(this.index, header.index);
    this.compacted = Math.max(this.compacted, header.index);
    this.bytesSince = 0;
  }

  private isDue(): boolean {
    const appliedIndex = this.ports.appliedIndex();
    if (this.isDamaged) return appliedIndex >= Math.max(this.notBefore, this.index);
    if (appliedIndex < this.notBefore || appliedIndex <= this.index) return false;
    const { snapshotEntries, snapshotBytes } = this.policy;
    const ofEntries = (appliedIndex - this.index) / snapshotEntries;
    const ofBytes = this.bytesSince / Math.max(snapshotBytes, this.lastBytes);
    const progress = Math.max(ofEntries, ofBytes);
    // A snapshot holds up a disk for a while: not those of a quorum at once.
    return progress >= 1 && progress >= 1 + this.ports.lateness();
  }

  /** Invariant: nothing leaves the log that the newest durable snapshot does not hold. */
  private compactTo(index: number): void {
    if (index <= this.compacted) return;
    this.compacted = index;
    this.ports.forget(index);
    this.ports.log.compact(index);
    this.ports.said({ kind: 'logCompacted', index });
  }
}

export function startTask(log: LogPort, task: SnapshotTask): void {
  switch (task.kind) {
    case 'read':
      return log.readSnapshot(task);
    case 'store':
      return log.storeChunk(task);
    case 'install':
      return log.install(task);
  }
}
