// The disk of a scenario's member: hard state, entries, a snapshot and what has come in of another.
// Snapshots have a size but no bytes. It must not know when a write happens.
import type {
  Configuration,
  HardState,
  LogEntry,
  LogWrite,
  RestoredState,
  SnapshotHeader,
  SnapshotPlace,
} from '../types';

interface StoredSnapshot {
  readonly header: SnapshotHeader;
  readonly size: number;
}

interface Chunk {
  readonly header: SnapshotHeader;
  readonly offset: number;
  readonly size: number;
  readonly data: Uint8Array;
  readonly crc: number;
}

export class ScenarioDisk {
  private snapshot: StoredSnapshot | null = null;
  private received: { readonly header: SnapshotHeader; bytes: number } | null = null;

  constructor(
    private hardState: HardState = { term: 0, vote: null, commit: 0 },
    private stored: LogEntry[] = [],
  ) {}

  get entries(): readonly LogEntry[] {
    return this.stored;
  }

  restored(first: Configuration): RestoredState {
    const { hardState, snapshot, stored } = this;
    const after = snapshot?.header.index ?? 0;
    return {
      hardState,
      entries: stored.filter((entry) => entry.index > after),
      configuration: first,
      ...(snapshot === null ? null : { snapshot: snapshot.header }),
    };
  }

  persist({ hardState, truncateFrom, entries }: LogWrite): void {
    if (hardState !== null) this.hardState = hardState;
    if (truncateFrom !== null) this.stored = this.stored.filter((e) => e.index < truncateFrom);
    this.stored.push(...entries);
  }

  /** Entries after `kept` are found to be damaged, and set aside. */
  damage(kept: number, isVoteLost: boolean): void {
    this.stored = this.stored.filter((entry) => entry.index <= kept);
    const { term, vote, commit } = this.hardState;
    this.hardState = isVoteLost
      ? { term: 0, vote: null, commit: 0, isRecovering: true, isVoteLost }
      : { term, vote, commit, isRecovering: true };
  }

  keepSnapshot(header: SnapshotHeader, size: number): void {
    this.snapshot = { header, size };
  }

  compact(index: number): void {
    this.stored = this.stored.filter((entry) => entry.index > index);
  }

  read(resume: SnapshotPlace | null, maxBytes: number): Chunk | null {
    if (this.snapshot === null) return null;
    const { header, size } = this.snapshot;
    const isHeld = resume?.index === header.index && resume.term === header.term;
    const offset = isHeld ? resume.offset : 0;
    const data = new Uint8Array(Math.min(maxBytes, size - offset));
    return { header, offset, size, data, crc: 0 };
  }

  /** The next offset wanted. */
  store(header: SnapshotHeader, offset: number, bytes: number): number {
    const { received } = this;
    const isSame = received?.header.index === header.index && received.header.term === header.term;
    const into = isSame ? received : { header, bytes: 0 };
    this.received = into;
    if (offset === into.bytes) into.bytes += bytes;
    return into.bytes;
  }

  discardReceived(): void {
    this.received = null;
  }

  install(header: SnapshotHeader): void {
    this.snapshot = { header, size: this.received?.bytes ?? 0 };
    this.received = null;
    this.stored = [];
  }
}
