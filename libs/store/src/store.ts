// The replicated key-value store: commands in log order go in, results come out, and every replica that applied the same
// commands is equal. Semantics are etcd v3's. It knows no Raft, no clock (time rides in the command), no I/O.

import { Draft } from './draft';
import { growthFault, protocolFault, revisionFault } from './faults';
import { type EventsQuery, type EventsSlice } from './history';
import { protocolOf } from './protocol';
import { readRange } from './range';
import { Room } from './reply-size';
import { requestFault, spanFault } from './request-check';
import { SnapshotLoader, type RestoreOptions } from './snapshot-loader';
import { beginSnapshot, type SnapshotSource } from './snapshot-source';
import { StoreState, type HashPoint } from './state';
import { deleteFault, growthOf, putFault, transact } from './transaction';
import {
  type Alarm,
  type DeleteOperation,
  type KeyValue,
  type LeaseRecord,
  type LeaseTimeToLive,
  type Outcome,
  type PutOperation,
  type RangeReply,
  type RangeRequest,
  type StoreCommand,
  type StoreReply,
  type StoreRequest,
  type StoreSettings,
} from './types';
import * as upkeep from './upkeep';

export interface StoreStatus {
  readonly appliedIndex: number;
  readonly revision: number;
  /** Reads work at this revision and after it, events after it. */
  readonly compactRevision: number;
  /** Revisions whose events are kept. */
  readonly historyLength: number;
  /** Keys that are live. */
  readonly keys: number;
  readonly leases: number;
  /** Logical size of what is live and of the history: text in UTF-16 units, and 64 for each version. */
  readonly bytes: number;
  /** 0: no limit. */
  readonly quotaBytes: number;
  readonly settings: StoreSettings;
  readonly alarms: readonly Alarm[];
  /** 16 hexadecimal digits; equal on replicas with equal `appliedIndex`. */
  readonly stateHash: string;
  readonly protocolVersion: number;
}

/** Versions that each entry frees after a compaction, and as many more for each of its requests. */
const sweptPerEntry = 64;
const sweptPerRequest = 4;

export interface StoreOptions {
  /** What all members understand already; default 1. A group of replicas agrees on more by `setProtocol`. */
  readonly protocolVersion?: number;
}

export class Store {
  private constructor(private readonly state: StoreState) {}

  static create({ protocolVersion = 1 }: StoreOptions = {}): Store {
    const state = new StoreState();
    state.protocolVersion = protocolVersion;
    return new Store(state);
  }

  /** Takes the bytes of a snapshot and gives the store that it was. */
  static loader(): StoreLoader {
    const loader = new SnapshotLoader();
    return {
      push: (bytes) => loader.push(bytes),
      finish: (options) => new Store(loader.finish(options)),
    };
  }

  get status(): StoreStatus {
    const { state } = this;
    return {
      appliedIndex: state.appliedIndex,
      revision: state.revision,
      compactRevision: state.compactRevision,
      historyLength: state.history.length,
      keys: state.index.size,
      leases: state.leases.size,
      bytes: state.bytes,
      quotaBytes: state.settings.quotaBytes,
      settings: state.settings,
      alarms: state.alarms,
      stateHash: state.hash.value,
      protocolVersion: state.protocolVersion,
    };
  }

  /** As in `status`, for those who ask at every step. */
  get appliedIndex(): number {
    return this.state.appliedIndex;
  }

  get revision(): number {
    return this.state.revision;
  }

  /** State hashes after the last entries whose index is a multiple of 1,000, oldest first; at most 64. */
  get hashPoints(): readonly HashPoint[] {
    return this.state.hashPoints;
  }

  /**
   * Applies one log entry; `null` is an entry that is not the store's. Answers stand in the order of the requests. Throws on any
   * entry but the next, and on a request of a kind that this release does not know.
   */
  apply(logIndex: number, command: StoreCommand | null): Outcome<StoreReply>[] {
    const { state } = this;
    if (logIndex !== state.appliedIndex + 1) {
      throw new Error(`store: entry ${logIndex} after ${state.appliedIndex} was applied`);
    }
    state.appliedIndex = logIndex;
    let outcomes: Outcome<StoreReply>[] = [];
    if (command !== null) {
      state.at = Math.max(state.at, command.at);
      outcomes = command.requests.map((request) => this.applyOnce(request));
    }
    state.notePoint();
    state.sweep(sweptPerEntry + sweptPerRequest * outcomes.length);
    return outcomes;
  }

  range(request: RangeRequest): Outcome<RangeReply> {
    const fault = spanFault(request) ?? revisionFault(this.state, request.revision ?? 0, '');
    if (fault !== undefined) return fault;
    const slice = readRange(request, this.state.index, new Room());
    return { ok: true, reply: { revision: this.state.revision, ...slice } };
  }

  /** Events of a revision that does not exist yet: none, and `through` says that nothing before `from` was looked at. */
  eventsSince(query: EventsQuery): Outcome<EventsSlice> {
    return this.state.history.since(query, this.state.index);
  }

  /** Every version of a key that is kept, oldest first; deletions have version 0. */
  versions(key: string): KeyValue[] {
    return this.state.index.versions(key, this.state.compactRevision);
  }

  /** The newest revision that was committed at `timeMs` or before; the compacted one if all kept ones are younger. */
  revisionAt(timeMs: number): number {
    return this.state.history.revisionAt(timeMs) ?? this.state.compactRevision;
  }

  lease(lease: string): LeaseRecord | undefined {
    return this.state.leases.get(lease);
  }

  /** One lease with its keys, ascending. */
  leaseTimeToLive(lease: string): LeaseTimeToLive | undefined {
    const record = this.state.leases.get(lease);
    return record && { ...record, attached: this.state.leases.keysOf(lease) };
  }

  leases(): LeaseRecord[] {
    return this.state.leases.list();
  }

  /** The state as of now, to be read slice by slice while the store goes on. */
  beginSnapshot(): SnapshotSource {
    return beginSnapshot(this.state);
  }

  /**
   * Frees up to `count` versions that were compacted, about a microsecond each. Entries do so as they are applied; this is for
   * a store that is idle. Returns whether some may be left.
   */
  sweep(count: number): boolean {
    return this.state.sweep(count);
  }

  private applyOnce(request: StoreRequest): Outcome<StoreReply> {
    const { state } = this;
    const once = 'once' in request ? request.once : undefined;
    if (once === undefined) return this.hashed(this.applyRequest(request));
    const kept = state.sessions.recall(once);
    if (kept !== undefined) return kept;
    const answer = this.hashed(this.applyRequest(request));
    state.sessions.keep(once, answer);
    return answer;
  }

  /** What was refused and why is as much a part of what replicas have in common as what was written. */
  private hashed(answer: Outcome<StoreReply>): Outcome<StoreReply> {
    const { hash } = this.state;
    if (answer.ok) hash.number(answer.reply.revision);
    else hash.text(answer.refusal.code);
    return answer;
  }

  private applyRequest(request: StoreRequest): Outcome<StoreReply> {
    const { state } = this;
    const fault = requestFault(request) ?? protocolFault(state, protocolOf(request));
    if (fault !== undefined) return fault;
    switch (request.type) {
      case 'put':
        return this.put(request);
      case 'delete':
        return this.delete(request);
      case 'txn':
        return transact(state, request);
      case 'grantLease':
        return upkeep.grantLease(state, request);
      case 'revokeLease':
      case 'expireLease':
        return upkeep.endLease(state, request);
      case 'checkpointLease':
        return upkeep.checkpointLease(state, request);
      case 'compact':
        return upkeep.compact(state, request);
      case 'setAlarm':
        return upkeep.setAlarm(state, request);
      case 'clearAlarm':
        return upkeep.clearAlarm(state, request);
      case 'setSettings':
        return upkeep.setSettings(state, request);
      case 'setProtocol':
        return upkeep.setProtocol(state, request);
    }
  }

  private put(request: PutOperation): Outcome<StoreReply> {
    const { state } = this;
    const room = request.previous === true ? new Room() : undefined;
    const fault =
      putFault(state, request, '', room) ?? growthFault(state, growthOf(state, request));
    if (fault !== undefined) return fault;
    const draft = new Draft(state);
    const previous = draft.put(request);
    const revision = draft.commit();
    if (request.previous !== true || previous === undefined)
      return { ok: true, reply: { revision } };
    return { ok: true, reply: { revision, previous } };
  }

  private delete(request: DeleteOperation): Outcome<StoreReply> {
    const { state } = this;
    const fault = deleteFault(state, request, '', new Room());
    if (fault !== undefined) return fault;
    const draft = new Draft(state);
    const previous = draft.delete(request);
    const reply = { revision: draft.commit(), deleted: previous.length };
    return { ok: true, reply: request.previous === true ? { ...reply, previous } : reply };
  }
}

/** Takes a snapshot's bytes in order, cut anywhere. Both throw a StoreSnapshotError if it can't be trusted. */
export interface StoreLoader {
  push(bytes: Uint8Array): void;
  /** The store, once every byte was pushed. */
  finish(options?: RestoreOptions): Store;
}

export function createStore(options?: StoreOptions): Store {
  return Store.create(options);
}
