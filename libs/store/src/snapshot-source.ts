// Writes the state as of one moment, slice by slice, while writes and compactions go on: keys are read at the compacted revision
// of that moment, history by its revisions, and the small rest was taken at once. Until it is closed, memory keeps what it reads.

import { visible } from './key-index';
import { type HistoryView } from './history';
import { type LeaseSnapshot } from './leases';
import { charactersOf, type Session } from './sessions';
import {
  snapshotVersion,
  type HistoryRows,
  type KeyRows,
  type SessionRows,
  type SnapshotHeader,
} from './snapshot-content';
import { joined, RecordWriter } from './snapshot-format';
import { type StoreState } from './state';
import { type KeyValue } from './types';

export interface SnapshotSource {
  readonly appliedIndex: number;
  readonly revision: number;
  /** The next bytes, `maxBytes` at most, or `null` after the last. Takes a few milliseconds however large the state is. */
  next(maxBytes: number): Uint8Array | null;
  /** Lets memory go. Needed only if the source is not read to its end; may be called twice. */
  close(): void;
}

/** A record ends after this much text. */
const recordCharacters = 64 * 1024;
/** Most bytes of one slice, whatever its caller would take. */
const maxSliceBytes = 512 * 1024;
/** Keys and revisions that one slice looks at, even if none of them belongs into the snapshot. */
const maxVisits = 16_384;
const maxVisitsOfRecord = 4_096;

export function beginSnapshot(state: StoreState): SnapshotSource {
  return new Source(state);
}

class Source implements SnapshotSource {
  readonly appliedIndex: number;
  readonly revision: number;
  private readonly release: () => void;
  private readonly records: Generator<Uint8Array>;
  private readonly header: SnapshotHeader;
  private readonly history: HistoryView;
  private readonly leases: readonly LeaseSnapshot[];
  private readonly sessions: readonly Session[];
  private readonly writer = new RecordWriter();
  private pending = new Uint8Array(0);
  private visits = 0;
  private hasEnded = false;

  constructor(private readonly state: StoreState) {
    this.appliedIndex = state.appliedIndex;
    this.revision = state.revision;
    this.header = headerOf(state);
    this.history = state.history.view();
    this.leases = state.leases.snapshot();
    this.sessions = state.sessions.share();
    this.release = state.hold();
    this.records = this.write();
  }

  next(maxBytes: number): Uint8Array | null {
    const limit = Math.max(1, Math.min(maxBytes, maxSliceBytes));
    const pieces: Uint8Array[] = [];
    let length = 0;
    this.visits = 0;
    while (length < limit && (length === 0 || this.visits < maxVisits)) {
      if (this.pending.length === 0 && !this.fill()) break;
      const piece = this.pending.subarray(0, limit - length);
      this.pending = this.pending.subarray(piece.length);
      pieces.push(piece);
      length += piece.length;
    }
    // A copy of its own: who sends it to another thread sends the whole of what it stands in.
    return length === 0 ? null : joined(pieces);
  }

  close(): void {
    this.hasEnded = true;
    this.pending = new Uint8Array(0);
    this.release();
  }

  private fill(): boolean {
    if (this.hasEnded) return false;
    const record = this.records.next();
    if (record.done === true) {
      this.close();
      return false;
    }
    this.pending = record.value as Uint8Array<ArrayBuffer>;
    return true;
  }

  private *write(): Generator<Uint8Array> {
    let records = 0;
    for (const [kind, content] of this.contents()) {
      records += 1;
      yield this.writer.write(kind, content);
    }
    yield this.writer.write('end', { records });
  }

  /** Leases come before the keys that hang on them. */
  private *contents() {
    yield ['header', this.header] as const;
    for (let at = 0; at < this.leases.length; at += 1_000) {
      yield ['leases', this.leases.slice(at, at + 1_000)] as const;
    }
    for (const rows of this.keyRows()) yield ['keys', rows] as const;
    for (const rows of this.historyRows()) yield ['history', rows] as const;
    for (const rows of this.sessionRows()) yield ['sessions', rows] as const;
  }

  private *keyRows(): Generator<KeyRows> {
    const { compactRevision } = this.header;
    const { index } = this.state;
    let after: string | undefined;
    for (let isDone = compactRevision === 0; !isDone;) {
      const rows: KeyRows = [];
      let characters = 0;
      let visits = 0;
      isDone = true;
      index.resume(after, (key, versions) => {
        after = key;
        visits += 1;
        const kv = visible(versions, compactRevision);
        if (kv !== undefined) characters += addKey(rows, kv);
        const isFull = characters >= recordCharacters || visits >= maxVisitsOfRecord;
        if (isFull) isDone = false;
        return isFull;
      });
      this.visits += visits;
      yield rows;
    }
  }

  private *historyRows(): Generator<HistoryRows> {
    const { history } = this;
    let rows: HistoryRows = [];
    let characters = 0;
    for (let revision = history.first; revision < history.next; revision += 1) {
      const { at, written } = history.at(revision);
      const writes: (string | number | null)[] = [];
      for (const kv of Array.isArray(written) ? written : [written]) {
        writes.push(kv.key, kv.version === 0 ? null : kv.value, kv.lease ?? 0);
        characters += kv.key.length + kv.value.length + 20;
      }
      rows.push([at, writes]);
      this.visits += 1;
      if (characters < recordCharacters && rows.length < maxVisitsOfRecord) continue;
      yield rows;
      rows = [];
      characters = 0;
    }
    if (rows.length > 0) yield rows;
  }

  private *sessionRows(): Generator<SessionRows> {
    let rows: SessionRows = [];
    let characters = 0;
    for (const { client, settledBelow, answers } of this.sessions) {
      let row: SessionRows[number] = [client, settledBelow, []];
      rows.push(row);
      characters += client.length + 20;
      for (const [sequence, answer] of answers) {
        row[2].push([sequence, answer]);
        characters += charactersOf(answer) + 20;
        this.visits += 1;
        if (characters < recordCharacters) continue;
        yield rows;
        row = [client, settledBelow, []];
        rows = [row];
        characters = 0;
      }
    }
    if (rows.length > 0) yield rows;
  }
}

function headerOf(state: StoreState): SnapshotHeader {
  const { appliedIndex, revision, compactRevision, at, protocolVersion, settings, alarms } = state;
  return {
    format: 'skein-store',
    version: snapshotVersion,
    appliedIndex,
    revision,
    compactRevision,
    at,
    protocolVersion,
    settings,
    alarms,
    stateHash: state.hash.value,
    hashPoints: [...state.hashPoints],
    leaseCounters: state.leases.counters,
    keys: state.index.size,
    bytes: state.bytes,
  };
}

function addKey(rows: KeyRows, kv: KeyValue): number {
  const { key, value, createRevision, modRevision, version, lease } = kv;
  rows.push(key, value, createRevision, modRevision, version, lease ?? 0);
  return key.length + value.length + 20;
}
