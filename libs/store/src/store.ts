// The replicated key-value store: commands in log order go in, results come out, and every replica that applied the same
// commands is equal to the last byte. Semantics are etcd v3's. It knows no Raft, no clock (time rides in the command), no I/O.

import { compareHolds } from './compare';
import { Draft } from './draft';
import { fingerprint } from './fingerprint';
import { History, type EventsQuery, type EventsSlice } from './history';
import { KeyIndex } from './key-index';
import { Leases } from './leases';
import { requestFault, spanFault } from './request-check';
import { Sessions } from './sessions';
import { decodeSnapshot, encodeSnapshot, type SnapshotContent } from './snapshot';
import { spanOf } from './span';
import {
  refuse,
  type LeaseRecord,
  type Operation,
  type OperationResult,
  type Outcome,
  type RangeReply,
  type RangeRequest,
  type Refusal,
  type StoreCommand,
  type StoreReply,
  type StoreRequest,
  type TransactionRequest,
} from './types';

export interface StoreStatus {
  readonly appliedIndex: number;
  readonly revision: number;
  readonly compactRevision: number;
  /** Revisions whose events are kept. */
  readonly historyLength: number;
}

export class Store {
  private index = new KeyIndex();
  private history = new History();
  private leaseTable = new Leases();
  private sessions = new Sessions();
  private appliedIndex = 0;
  private revision = 0;
  private compactRevision = 0;
  // Invariant: never goes back, whatever the leaders' clocks say.
  private at = 0;

  get status(): StoreStatus {
    const { appliedIndex, revision, compactRevision } = this;
    return { appliedIndex, revision, compactRevision, historyLength: this.history.length };
  }

  /** Applies one log entry; `null` is an entry that is not the store's. Answers stand in the order of the requests. */
  apply(logIndex: number, command: StoreCommand | null): Outcome<StoreReply>[] {
    if (logIndex <= this.appliedIndex) {
      throw new Error(`store: entry ${logIndex} after ${this.appliedIndex} was applied`);
    }
    this.appliedIndex = logIndex;
    if (command === null) return [];
    this.at = Math.max(this.at, command.at);
    return command.requests.map((request) => this.applyOnce(request));
  }

  range(request: RangeRequest): Outcome<RangeReply> {
    const fault = spanFault(request) ?? this.revisionFault(request, '');
    if (fault !== undefined) return fault;
    return { ok: true, reply: { revision: this.revision, ...this.read(request) } };
  }

  eventsSince(query: EventsQuery): Outcome<EventsSlice> {
    return this.history.since(query);
  }

  lease(lease: string): LeaseRecord | undefined {
    return this.leaseTable.get(lease);
  }

  leases(): LeaseRecord[] {
    return this.leaseTable.list();
  }

  /** Equal on replicas that applied the same entries. Reads everything: for tests and for checks now and then. */
  hash(): string {
    return fingerprint(JSON.stringify(this.content()));
  }

  snapshot(): Uint8Array {
    return encodeSnapshot(this.content());
  }

  static restore(bytes: Uint8Array): Store {
    const content = decodeSnapshot(bytes);
    const store = new Store();
    store.appliedIndex = content.appliedIndex;
    store.compactRevision = content.compactRevision;
    store.revision = content.revision;
    store.at = content.at;
    store.leaseTable = new Leases(content.leaseCounter);
    for (const { lease, ttlMs } of content.leases) store.leaseTable.grant(lease, ttlMs);
    store.history = new History(content.compactRevision + 1);
    for (const kv of content.live) store.index.add(kv);
    for (const entry of content.history) store.replay(entry);
    for (const kv of store.index.collect(everything)) {
      if (kv.lease !== undefined) store.leaseTable.attach(kv.lease, kv.key);
    }
    store.sessions = Sessions.restore(content.sessions);
    return store;
  }

  private replay(entry: SnapshotContent['history'][number]): void {
    const events = entry.events.map((event) => {
      const previous = this.index.add(event.kv);
      return { ...event, ...(previous === undefined ? {} : { previous }) };
    });
    this.history.add({ ...entry, events });
  }

  private content(): SnapshotContent {
    return {
      appliedIndex: this.appliedIndex,
      revision: this.revision,
      compactRevision: this.compactRevision,
      at: this.at,
      leaseCounter: this.leaseTable.counter,
      leases: this.leaseTable.list().map(({ lease, ttlMs }) => ({ lease, ttlMs })),
      live: this.index.collect(everything, this.compactRevision),
      history: this.history.entries().map(({ revision, at, events }) => ({
        revision,
        at,
        events: events.map(({ type, kv }) => ({ type, kv })),
      })),
      sessions: this.sessions.snapshot(),
    };
  }

  private applyOnce(request: StoreRequest): Outcome<StoreReply> {
    const once = 'once' in request ? request.once : undefined;
    if (once === undefined) return this.applyRequest(request);
    const kept = this.sessions.recall(once);
    if (kept !== undefined) return kept;
    const answer = this.applyRequest(request);
    this.sessions.keep(once, answer);
    return answer;
  }

  private applyRequest(request: StoreRequest): Outcome<StoreReply> {
    const fault = requestFault(request);
    if (fault !== undefined) return fault;
    switch (request.type) {
      case 'put':
        return this.put(request);
      case 'delete':
        return this.delete(request);
      case 'txn':
        return this.transact(request);
      case 'grantLease':
        return this.grantLease(request);
      case 'revokeLease':
      case 'expireLease':
        return this.endLease(request.lease);
      case 'compact':
        return this.compact(request.revision);
    }
  }

  private put(request: Extract<StoreRequest, { type: 'put' }>): Outcome<StoreReply> {
    const fault = this.leaseFault(request.lease, '');
    if (fault !== undefined) return fault;
    const draft = this.draft();
    const previous = draft.put(request);
    const reply = { revision: this.commit(draft) };
    if (request.previous !== true || previous === undefined) return { ok: true, reply };
    return { ok: true, reply: { ...reply, previous } };
  }

  private delete(request: Extract<StoreRequest, { type: 'delete' }>): Outcome<StoreReply> {
    const draft = this.draft();
    const previous = draft.delete(request);
    const reply = { revision: this.commit(draft), deleted: previous.length };
    return { ok: true, reply: request.previous === true ? { ...reply, previous } : reply };
  }

  private transact(request: TransactionRequest): Outcome<StoreReply> {
    const succeeded = request.compare.every((compare) => compareHolds(compare, this.index));
    const branch = succeeded ? 'success' : 'failure';
    for (const [at, operation] of request[branch].entries()) {
      const path = `${branch}.${at}.`;
      const fault =
        operation.type === 'put'
          ? this.leaseFault(operation.lease, path)
          : operation.type === 'range'
            ? this.revisionFault(operation, path)
            : undefined;
      if (fault !== undefined) return fault;
    }
    const draft = this.draft();
    const results = request[branch].map((operation) => this.operate(operation, draft));
    return { ok: true, reply: { succeeded, revision: this.commit(draft), results } };
  }

  private operate(operation: Operation, draft: Draft): OperationResult {
    switch (operation.type) {
      case 'put': {
        const previous = draft.put(operation);
        if (operation.previous !== true || previous === undefined) return { type: 'put' };
        return { type: 'put', previous };
      }
      case 'delete': {
        const previous = draft.delete(operation);
        const result = { type: 'delete' as const, deleted: previous.length };
        return operation.previous === true ? { ...result, previous } : result;
      }
      case 'range':
        return { type: 'range', ...this.read(operation) };
    }
  }

  private grantLease(request: Extract<StoreRequest, { type: 'grantLease' }>): Outcome<StoreReply> {
    const { ttlMs } = request;
    if (request.lease !== undefined && this.leaseTable.has(request.lease)) {
      return refuse('lease_exists', 'A lease has this name already', { field: 'lease' });
    }
    const lease = request.lease ?? this.leaseTable.freeName();
    this.leaseTable.grant(lease, ttlMs);
    return { ok: true, reply: { lease, ttlMs, revision: this.revision } };
  }

  private endLease(lease: string): Outcome<StoreReply> {
    const fault = this.leaseFault(lease, '');
    if (fault !== undefined) return fault;
    const draft = this.draft();
    const keys = this.leaseTable.end(lease);
    for (const key of keys) draft.delete({ key });
    return { ok: true, reply: { revision: this.commit(draft), deleted: keys.length } };
  }

  private compact(revision: number): Outcome<StoreReply> {
    const fault = this.revisionFault({ key: '', revision }, '');
    if (fault !== undefined) return fault;
    for (const { events } of this.history.compact(revision)) {
      for (const { kv } of events) this.index.trim(kv.key, revision);
    }
    this.compactRevision = revision;
    return { ok: true, reply: { revision: this.revision, compactRevision: revision } };
  }

  private draft(): Draft {
    return new Draft(this.revision + 1, this.index, this.leaseTable);
  }

  /** A transaction that wrote nothing takes no revision. */
  private commit(draft: Draft): number {
    if (draft.events.length === 0) return this.revision;
    this.history.add({ revision: draft.revision, at: this.at, events: draft.events });
    this.revision = draft.revision;
    return this.revision;
  }

  private read(request: RangeRequest): Omit<RangeReply, 'revision'> {
    const found = this.index.collect(spanOf(request), request.revision || undefined);
    const count = found.length;
    if (request.countOnly === true) return { kvs: [], count, more: false };
    if (request.descending === true) found.reverse();
    const limit = request.limit || Infinity;
    const kvs = count > limit ? found.slice(0, limit) : found;
    const more = count > limit;
    if (request.keysOnly !== true) return { kvs, count, more };
    return { kvs: kvs.map((kv) => ({ ...kv, value: '' })), count, more };
  }

  private leaseFault(lease: string | undefined, path: string): Fault {
    if (lease === undefined || this.leaseTable.has(lease)) return undefined;
    return refuse('lease_not_found', 'There is no such lease', {
      field: `${path}lease`,
      facts: { lease },
    });
  }

  private revisionFault({ revision = 0 }: RangeRequest, path: string): Fault {
    if (revision === 0) return undefined;
    const { revision: newest, compactRevision } = this;
    const facts = { revision: newest, compactRevision };
    const field = `${path}revision`;
    if (revision > newest) {
      return refuse('revision_future', 'The revision does not exist yet', { field, facts });
    }
    if (revision >= compactRevision) return undefined;
    return refuse('revision_compacted', 'The revision has been compacted', { field, facts });
  }
}

type Fault = { ok: false; refusal: Refusal } | undefined;

const everything = spanOf({ key: '', prefix: true });

export function createStore(): Store {
  return new Store();
}
