// Random commands against a model so plain that it is easy to believe: the whole state copied at each revision. Also: replicas
// agree, and a snapshot anywhere changes nothing.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createStore, Store } from './store';
import { type KeyValue, type Operation, type StoreRequest } from './types';

type State = Record<string, KeyValue>;

/** Every revision's whole state; index 0 is before anything. */
class Model {
  readonly states: State[] = [{}];
  readonly leases = new Set<string>();

  get now(): State {
    return this.states.at(-1) ?? {};
  }

  transact(change: (state: State, revision: number) => void): void {
    const next = { ...this.now };
    change(next, this.states.length);
    if (JSON.stringify(next) !== JSON.stringify(this.now)) this.states.push(next);
  }

  put(state: State, operation: Extract<Operation, { type: 'put' }>, revision: number): void {
    const { key, value, lease } = operation;
    const old = state[key];
    const createRevision = old?.createRevision ?? revision;
    const version = (old?.version ?? 0) + 1;
    const kv = { key, value, createRevision, modRevision: revision, version };
    state[key] = lease === undefined ? kv : { ...kv, lease };
  }

  run(request: StoreRequest): void {
    this.transact((state, revision) => {
      if (request.type === 'put') {
        if (request.lease === undefined || this.leases.has(request.lease)) {
          this.put(state, request, revision);
        }
      } else if (request.type === 'delete') {
        for (const key of Object.keys(state)) if (key.startsWith(request.key)) delete state[key];
      } else if (request.type === 'grantLease') {
        this.leases.add(request.lease ?? '');
      } else if (request.type === 'expireLease') {
        this.leases.delete(request.lease);
        for (const kv of Object.values(state)) if (kv.lease === request.lease) delete state[kv.key];
      } else if (request.type === 'txn') {
        const holds = request.compare.every(
          ({ key, value }) => (state[key]?.modRevision ?? 0) < Number(value),
        );
        for (const operation of holds ? request.success : request.failure) {
          if (operation.type === 'put') this.put(state, operation, revision);
        }
      }
    });
  }
}

const key = fc.constantFrom('a', 'a/b', 'a/c', 'b', 'b/a');
const lease = fc.constantFrom('L1', 'L2');
const value = fc.string({ maxLength: 3 });
const put = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key, value }),
  fc.record({ type: fc.constant('put' as const), key, value, lease }),
);
const puts = fc
  .uniqueArray(fc.record({ type: fc.constant('put' as const), key, value }), {
    selector: (operation) => operation.key,
    maxLength: 3,
  })
  .map((list): Operation[] => list);
const compare = fc.record({
  key,
  target: fc.constant('modRevision' as const),
  operator: fc.constant('<' as const),
  value: fc.nat(12),
});
const request: fc.Arbitrary<StoreRequest> = fc.oneof(
  { arbitrary: put, weight: 4 },
  fc.record({ type: fc.constant('delete' as const), key, prefix: fc.constant(true) }),
  fc.record({ type: fc.constant('grantLease' as const), ttlMs: fc.constant(1_000), lease }),
  fc.record({ type: fc.constant('expireLease' as const), lease }),
  fc.record({
    type: fc.constant('txn' as const),
    compare: fc.array(compare, { maxLength: 2 }),
    success: puts,
    failure: puts,
  }),
);

const sorted = (state: State) => Object.values(state).sort((a, b) => (a.key < b.key ? -1 : 1));
const kvsAt = (store: Store, revision: number) => {
  const outcome = store.range({ key: '', prefix: true, revision });
  return outcome.ok ? outcome.reply.kvs : outcome.refusal;
};

describe('store', () => {
  it('holds at every revision what the model holds, through snapshots and compactions', () => {
    const run = fc.property(fc.array(request, { maxLength: 40 }), fc.nat(40), (requests, cut) => {
      let store = createStore();
      const twin = createStore();
      const model = new Model();
      for (const [at, each] of requests.entries()) {
        const answer = store.apply(at + 1, { at, requests: [each] });
        expect(twin.apply(at + 1, { at, requests: [each] })).toEqual(answer);
        model.run(each);
        if (at === cut) store = Store.restore(store.snapshot());
        expect(store.status.revision).toBe(model.states.length - 1);
      }
      expect(store.hash()).toBe(twin.hash());
      for (let revision = 1; revision < model.states.length; revision += 1) {
        expect(kvsAt(store, revision)).toEqual(sorted(model.states[revision] ?? {}));
      }
      const kept = Math.floor(store.status.revision / 2);
      if (kept === 0) return;
      store.apply(requests.length + 1, { at: 0, requests: [{ type: 'compact', revision: kept }] });
      const restored = Store.restore(store.snapshot());
      for (let revision = kept; revision < model.states.length; revision += 1) {
        expect(kvsAt(store, revision)).toEqual(sorted(model.states[revision] ?? {}));
        expect(kvsAt(restored, revision)).toEqual(sorted(model.states[revision] ?? {}));
      }
    });
    fc.assert(run, { numRuns: 150 });
  });

  it('tells by its events what its states tell', () => {
    const run = fc.property(fc.array(request, { maxLength: 40 }), (requests) => {
      const store = createStore();
      requests.forEach((each, at) => store.apply(at + 1, { at, requests: [each] }));
      const slice = store.eventsSince({ from: 1, previous: true });
      if (!slice.ok) throw new Error('refused');
      const state: State = {};
      for (const { revision, events } of slice.reply.revisions) {
        for (const { type, kv, previous } of events) {
          expect(previous).toEqual(state[kv.key]);
          if (type === 'put') state[kv.key] = kv;
          else delete state[kv.key];
        }
        expect(kvsAt(store, revision)).toEqual(sorted(state));
      }
    });
    fc.assert(run, { numRuns: 100 });
  });
});
