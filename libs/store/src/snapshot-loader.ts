// Builds a state from a snapshot, record by record as its bytes come in. Nothing of it can be had before the last record was seen
// and the whole comes to what the header says. History is replayed by the same code that once wrote it.

import { Draft } from './draft';
import { Leases } from './leases';
import { History } from './history';
import { RollingHash } from './rolling-hash';
import {
  keyRowWidth,
  snapshotVersion,
  writeWidth,
  type HistoryRows,
  type KeyRows,
  type LeaseRows,
  type SessionRows,
  type SnapshotEnd,
  type SnapshotHeader,
} from './snapshot-content';
import { damaged, RecordReader, StoreSnapshotError, type SnapshotRecord } from './snapshot-format';
import { StoreState } from './state';

export interface RestoreOptions {
  /** For a restore to an earlier state: the next revision is this much higher, so that none is given twice. Compacts. */
  readonly bumpRevisionBy?: number;
  /** Everything before the next revision counts as compacted: watches from before are told so. */
  readonly markCompacted?: boolean;
}

export class SnapshotLoader {
  private readonly reader = new RecordReader();
  private readonly state = new StoreState();
  private header: SnapshotHeader | undefined;
  private records = 0;
  private hasEnded = false;

  /** Bytes of the snapshot in order, cut anywhere. Throws a StoreSnapshotError. */
  push(bytes: Uint8Array): void {
    for (const record of this.reader.read(bytes)) {
      if (this.hasEnded) throw damaged('something follows its end');
      this.take(record);
      this.records += 1;
    }
  }

  /** Throws a StoreSnapshotError if anything is missing. */
  finish({ bumpRevisionBy = 0, markCompacted = false }: RestoreOptions = {}): StoreState {
    const { header, state } = this;
    if (header === undefined || !this.hasEnded || !this.reader.isBetweenRecords) {
      throw damaged('it is cut off');
    }
    const { revision, index, bytes } = state;
    if (revision !== header.revision || index.size !== header.keys || bytes !== header.bytes) {
      throw damaged('it does not come to what its header says');
    }
    state.at = header.at;
    if (bumpRevisionBy > 0 || markCompacted) {
      state.skip(bumpRevisionBy);
      state.hash.number(bumpRevisionBy);
    }
    return state;
  }

  private take({ kind, content }: SnapshotRecord): void {
    if ((this.header === undefined) !== (kind === 'header')) throw damaged('its header is missing');
    switch (kind) {
      case 'header':
        return this.begin(content as SnapshotHeader);
      case 'leases':
        return this.leases(content as LeaseRows);
      case 'keys':
        return this.keys(content as KeyRows);
      case 'history':
        return this.history(content as HistoryRows);
      case 'sessions':
        return this.sessions(content as SessionRows);
      case 'end':
        return this.end(content as SnapshotEnd);
    }
  }

  private begin(header: SnapshotHeader): void {
    if (header.format !== 'skein-store') throw damaged('it is no snapshot of a store');
    if (header.version !== snapshotVersion) {
      throw new StoreSnapshotError(
        'snapshot_version',
        `version ${header.version} where this release reads ${snapshotVersion}`,
      );
    }
    const { state } = this;
    const { granted, grants } = header.leaseCounters;
    this.header = header;
    state.appliedIndex = header.appliedIndex;
    state.revision = header.compactRevision;
    state.compactRevision = header.compactRevision;
    state.history = new History(header.compactRevision + 1);
    state.leases = new Leases(granted, grants);
    state.protocolVersion = header.protocolVersion;
    state.settings = header.settings;
    state.alarms = header.alarms;
    state.hash = new RollingHash(header.stateHash);
    state.hashPoints = [...header.hashPoints];
  }

  private leases(rows: LeaseRows): void {
    for (const lease of rows) this.state.leases.restore(lease);
  }

  private keys(rows: KeyRows): void {
    for (let at = 0; at < rows.length; at += keyRowWidth) {
      const lease = rows[at + 5];
      const kv = {
        key: rows[at] as string,
        value: rows[at + 1] as string,
        createRevision: rows[at + 2] as number,
        modRevision: rows[at + 3] as number,
        version: rows[at + 4] as number,
      };
      this.state.load(typeof lease === 'string' ? { ...kv, lease } : kv);
    }
  }

  private history(rows: HistoryRows): void {
    for (const [time, writes] of rows) {
      const draft = new Draft(this.state);
      this.state.at = time;
      for (let at = 0; at < writes.length; at += writeWidth) {
        const key = writes[at] as string;
        const value = writes[at + 1] as string | null;
        const lease = writes[at + 2] as string | 0;
        if (value === null) draft.bury(key);
        else draft.put({ type: 'put', key, value, ...(lease === 0 ? {} : { lease }) });
      }
      draft.replay();
    }
  }

  private sessions(rows: SessionRows): void {
    for (const [client, settledBelow, answers] of rows) {
      this.state.sessions.restore(client, settledBelow, answers);
    }
  }

  private end({ records }: SnapshotEnd): void {
    if (records !== this.records) throw damaged('records are missing');
    this.hasEnded = true;
  }
}
