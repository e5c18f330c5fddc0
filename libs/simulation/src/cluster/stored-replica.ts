// What the simulated disk of one replica holds: hard state, chained entries, snapshots in chunks; and
// what a restart makes of it when some of it is damaged, as the real log does. It must not know when
// writes become durable, nor who damages them.
import type { HardState, LogEntry, LogWrite, SnapshotHeader } from '@skein/raft';
import type { Random } from '../random';
import { chainedSum, crc32, flipBit } from './checksum';
import { LogView } from './log-view';

export interface StoredChunk {
  readonly offset: number;
  readonly data: Uint8Array;
  readonly crc: number;
}

export interface StoredSnapshot {
  readonly header: SnapshotHeader;
  readonly size: number;
  readonly chunks: StoredChunk[];
}

/** What a restart finds that it can trust. */
export interface RestoredReplica {
  readonly hardState: HardState;
  readonly snapshot: StoredSnapshot | null;
  readonly entries: readonly LogEntry[];
  /** Something was damaged: the replica starts as a recovering one. */
  readonly isDamaged: boolean;
}

export type Damage = 'entry' | 'hardState' | 'snapshot';

const emptyHardState: HardState = { term: 0, vote: null, commit: 0 };

export class StoredReplica {
  readonly log = new LogView();
  hardState: HardState = emptyHardState;
  snapshot: StoredSnapshot | null = null;
  /** Being received from a leader; complete once its chunks reach its size. */
  incoming: StoredSnapshot | null = null;
  private sums: number[] = [];
  private baseSum = 0;
  private isHardStateDamaged = false;

  constructor(private readonly checks: { readonly ignoresSnapshotCrc: boolean }) {}

  write(write: LogWrite): void {
    if (write.hardState !== null) this.hardState = { ...write.hardState };
    if (write.truncateFrom !== null) {
      this.log.truncateFrom(write.truncateFrom);
      this.sums.length = this.log.entries.length;
    }
    for (const entry of write.entries) this.push(entry, true);
  }

  /** Half of a write: some of its entries, the last of them unreadable. */
  tear(write: LogWrite, random: Random): boolean {
    if (write.entries.length === 0) return false;
    this.write({ ...write, entries: [] });
    const kept = random.int(write.entries.length);
    write.entries.slice(0, kept).forEach((entry) => this.push(entry, true));
    this.push(write.entries[kept] as LogEntry, false);
    return true;
  }

  private push(entry: LogEntry, isWhole: boolean): void {
    const sum = chainedSum(entry, this.sums[this.sums.length - 1] ?? this.baseSum);
    this.log.push(entry);
    this.sums.push(isWhole ? sum : ~sum);
  }

  compact(index: number): void {
    if (index <= this.log.baseIndex) return;
    const dropped = index - this.log.baseIndex;
    this.baseSum = this.sums[dropped - 1] ?? 0;
    this.log.compact(index);
    this.sums = this.sums.slice(dropped);
  }

  /** A snapshot of its own is complete. */
  keepSnapshot(snapshot: StoredSnapshot): void {
    if ((this.snapshot?.header.index ?? -1) <= snapshot.header.index) this.snapshot = snapshot;
  }

  /** Answers the next offset wanted. */
  storeChunk(header: SnapshotHeader, chunk: StoredChunk, size: number): number {
    if (crc32(chunk.data) !== chunk.crc && !this.checks.ignoresSnapshotCrc) {
      return this.incomingOffset(header);
    }
    const isSame = this.incoming !== null && isSameHeader(this.incoming.header, header);
    if (!isSame || this.incoming?.size !== size) {
      if (chunk.offset !== 0) return 0;
      this.incoming = { header, size, chunks: [] };
    }
    if (chunk.offset === this.incomingOffset(header)) this.incoming?.chunks.push(chunk);
    return this.incomingOffset(header);
  }

  private incomingOffset(header: SnapshotHeader): number {
    if (this.incoming === null || !isSameHeader(this.incoming.header, header)) return 0;
    return lengthOf(this.incoming);
  }

  /** The received snapshot, whole and verified; null when it is not. */
  received(header: SnapshotHeader): StoredSnapshot | null {
    const { incoming } = this;
    if (incoming === null || !isSameHeader(incoming.header, header)) return null;
    return lengthOf(incoming) === incoming.size && this.isReadable(incoming) ? incoming : null;
  }

  install(snapshot: StoredSnapshot, keepSuffix: boolean): void {
    const { index, term } = snapshot.header;
    const entries = keepSuffix ? this.log.entries.filter((entry) => entry.index > index) : [];
    this.log.install(index, term, false);
    this.baseSum = 0;
    this.sums = [];
    for (const entry of entries) this.push(entry, true);
    this.snapshot = snapshot;
    this.incoming = null;
  }

  isReadable(snapshot: StoredSnapshot): boolean {
    if (this.checks.ignoresSnapshotCrc) return true;
    return snapshot.chunks.every((chunk) => crc32(chunk.data) === chunk.crc);
  }

  /** Turns one bit of something that is stored; false when there is nothing of this kind. */
  damage(kind: Damage, random: Random): boolean {
    switch (kind) {
      case 'hardState':
        this.isHardStateDamaged = this.hardState.term > 0;
        return this.isHardStateDamaged;
      case 'entry': {
        const candidates = this.log.entries.filter((entry) => entry.data.length > 0);
        if (candidates.length === 0) return false;
        const entry = random.pick(candidates);
        this.log.entries[entry.index - this.log.baseIndex - 1] = {
          ...entry,
          data: flipBit(entry.data, random.int(1 << 20)),
        };
        return true;
      }
      case 'snapshot': {
        const chunks = this.snapshot?.chunks ?? [];
        if (this.snapshot === null || chunks.length === 0) return false;
        const at = random.int(chunks.length);
        const chunk = chunks[at] as StoredChunk;
        const damaged = { ...chunk, data: flipBit(chunk.data, random.int(1 << 20)) };
        this.snapshot = { ...this.snapshot, chunks: chunks.with(at, damaged) };
        return true;
      }
    }
  }

  /** Reads and verifies everything, drops what can't be trusted, and remembers that it did. */
  restore(): RestoredReplica {
    const hadSnapshot = this.snapshot !== null;
    if (this.snapshot !== null && !this.isReadable(this.snapshot)) this.snapshot = null;
    const isSnapshotLost = hadSnapshot && this.snapshot === null;
    if (this.incoming !== null && !this.isReadable(this.incoming)) this.incoming = null;
    // Without the snapshot nothing says what the entries that are left build upon.
    const isPrefixLost = isSnapshotLost && this.log.baseIndex > 0;
    const isLogDamaged = isPrefixLost ? this.dropLog() : this.dropDamagedEntries();
    const isDamaged = isSnapshotLost || isLogDamaged || this.isHardStateDamaged;
    if (isDamaged) this.repairHardState();
    this.compact(Math.min(this.snapshot?.header.index ?? 0, this.log.lastIndex));
    return {
      hardState: this.hardState,
      snapshot: this.snapshot,
      entries: this.log.entries.slice(),
      isDamaged,
    };
  }

  private dropLog(): boolean {
    this.log.install(0, 0, false);
    this.sums = [];
    this.baseSum = 0;
    return true;
  }

  private dropDamagedEntries(): boolean {
    let sum = this.baseSum;
    for (const [at, entry] of this.log.entries.entries()) {
      sum = chainedSum(entry, sum);
      if (sum === this.sums[at]) continue;
      this.log.truncateFrom(entry.index);
      this.sums.length = this.log.entries.length;
      const snapshotIndex = this.snapshot?.header.index ?? 0;
      if (this.log.lastIndex < snapshotIndex) {
        this.log.install(snapshotIndex, this.snapshot?.header.term ?? 0, false);
        this.sums = [];
        this.baseSum = 0;
      }
      return true;
    }
    return false;
  }

  private repairHardState(): void {
    const last = this.log.entries[this.log.entries.length - 1];
    const known = this.isHardStateDamaged ? emptyHardState : this.hardState;
    const { lastIndex, baseTerm } = this.log;
    const lastTerm = Math.max(last?.term ?? baseTerm, this.snapshot?.header.term ?? 0);
    this.hardState = {
      term: Math.max(known.term, lastTerm),
      vote: this.isHardStateDamaged ? null : known.vote,
      commit: Math.min(known.commit, Math.max(lastIndex, this.snapshot?.header.index ?? 0)),
      isRecovering: true,
      ...(this.isHardStateDamaged ? { isVoteLost: true } : {}),
    };
    this.isHardStateDamaged = false;
  }
}

export function lengthOf(snapshot: StoredSnapshot): number {
  return snapshot.chunks.reduce((sum, chunk) => sum + chunk.data.length, 0);
}

type Place = Pick<SnapshotHeader, 'index' | 'term'>;

export function isSameHeader(a: Place, b: Place): boolean {
  return a.index === b.index && a.term === b.term;
}
