// Random commands against a model so plain that it is easy to believe: the whole state copied at each revision. Also: replicas
// agree, and a snapshot or a compaction anywhere changes nothing that can still be seen.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bytesOf, copyOf } from './fixture';
import { newestProtocol } from './protocol';
import { createStore, type Store } from './store';
import {
  type Compare,
  type KeyValue,
  type Operation,
  type PutOperation,
  type RangeRequest,
  type StoreRequest,
  type TransactionOperation,
} from './types';

type State = Record<string, KeyValue>;

/** Every revision's whole state; index 0 is before anything. */
class Model {
  readonly states: State[] = [{}];
  readonly leases = new Set<string>();

  get now(): State {
    return this.states.at(-1) ?? {};
  }

  run(request: StoreRequest): void {
    const before = this.now;
    const next = { ...before };
    if (request.type === 'grantLease') this.leases.add(request.lease ?? '');
    else if (request.type === 'expireLease') {
      this.leases.delete(request.lease);
      for (const kv of Object.values(next)) if (kv.lease === request.lease) delete next[kv.key];
    } else if (request.type === 'txn' || request.type === 'put' || request.type === 'delete') {
      const operations = this.chosen(request, before);
      if (operations.some((operation) => this.isRefused(operation, before))) return;
      for (const operation of operations) this.operate(operation, next);
    }
    if (JSON.stringify(next) !== JSON.stringify(before)) this.states.push(next);
  }

  /** All that runs, in order, by compares with the state before. */
  private chosen(operation: Operation, before: State): Operation[] {
    if (operation.type !== 'txn') return [operation];
    const holds = operation.compare.every(
      ({ key, value }) => (before[key]?.modRevision ?? 0) < Number(value),
    );
    const branch = holds ? operation.success : operation.failure;
    return branch.flatMap((each) => this.chosen(each, before));
  }

  private isRefused(operation: Operation, before: State): boolean {
    if (operation.type !== 'put') return false;
    const { key, lease, ignoreValue, ignoreLease } = operation;
    const isKept = ignoreValue === true || ignoreLease === true;
    return (isKept && !(key in before)) || (lease !== undefined && !this.leases.has(lease));
  }

  private operate(operation: Operation, state: State): void {
    if (operation.type === 'put') this.put(operation, state);
    if (operation.type !== 'delete') return;
    for (const key of Object.keys(state)) if (key.startsWith(operation.key)) delete state[key];
  }

  private put(operation: PutOperation, state: State): void {
    const { key } = operation;
    const old = state[key];
    const modRevision = this.states.length;
    const value = operation.ignoreValue === true ? (old?.value ?? '') : operation.value;
    const lease = operation.ignoreLease === true ? old?.lease : operation.lease;
    const createRevision = old?.createRevision ?? modRevision;
    const kv = { key, value, createRevision, modRevision, version: (old?.version ?? 0) + 1 };
    state[key] = lease === undefined ? kv : { ...kv, lease };
  }
}

const names = ['a', 'a/b', 'a/c', 'b', 'b/a', 'c'];
const key = fc.constantFrom(...names);
const lease = fc.constantFrom('L1', 'L2');
const value = fc.string({ maxLength: 3 });
const putOf = (keys: fc.Arbitrary<string>): fc.Arbitrary<PutOperation> =>
  fc.oneof(
    fc.record({ type: fc.constant('put' as const), key: keys, value }),
    fc.record({ type: fc.constant('put' as const), key: keys, value, lease }),
    fc.record({
      type: fc.constant('put' as const),
      key: keys,
      value: fc.constant(''),
      ignoreValue: fc.constant(true),
      ignoreLease: fc.boolean(),
    }),
  );
const compare: fc.Arbitrary<Compare> = fc.record({
  key,
  target: fc.constant('modRevision' as const),
  operator: fc.constant('<' as const),
  value: fc.nat(12),
});

/** Operations of one branch over keys that no other operation of the transaction has. */
function branch(keys: readonly string[], depth: number): fc.Arbitrary<Operation[]> {
  const [first, ...others] = keys;
  if (first === undefined) return fc.constant([]);
  const one: fc.Arbitrary<Operation[]> = putOf(fc.constant(first)).map((put) => [put]);
  const inner = transaction(others, depth + 1).map((each): Operation[] => [each]);
  const plain = fc.tuple(one, branch(others, 4)).map((parts) => parts.flat());
  return depth < 3
    ? fc.oneof(
        plain,
        fc.tuple(one, inner).map((parts) => parts.flat()),
      )
    : one;
}

function transaction(keys: readonly string[], depth: number): fc.Arbitrary<TransactionOperation> {
  return fc.record({
    type: fc.constant('txn' as const),
    compare: fc.array(compare, { maxLength: 2 }),
    success: branch(keys, depth),
    failure: branch(keys, depth),
  });
}

const request: fc.Arbitrary<StoreRequest> = fc.oneof(
  { arbitrary: putOf(key), weight: 4 },
  fc.record({ type: fc.constant('delete' as const), key, prefix: fc.constant(true) }),
  fc.record({ type: fc.constant('grantLease' as const), ttlMs: fc.constant(1_000), lease }),
  fc.record({ type: fc.constant('expireLease' as const), lease }),
  {
    arbitrary: fc.shuffledSubarray(names, { minLength: 1 }).chain((keys) => transaction(keys, 1)),
    weight: 2,
  },
);

const revision = fc.option(fc.nat(45), { nil: undefined });
const range: fc.Arbitrary<RangeRequest> = fc.record({
  key: fc.constantFrom('', 'a', 'b'),
  prefix: fc.constant(true),
  limit: fc.nat(4),
  sort: fc.option(
    fc.record({
      by: fc.constantFrom('key', 'version', 'createRevision', 'modRevision', 'value' as const),
      order: fc.constantFrom('ascending', 'descending' as const),
    }),
    { nil: undefined },
  ),
  minModRevision: revision,
  maxModRevision: revision,
  minCreateRevision: revision,
  maxCreateRevision: revision,
}) as fc.Arbitrary<RangeRequest>;

const sorted = (state: State) => Object.values(state).sort((a, b) => (a.key < b.key ? -1 : 1));
const kvsAt = (store: Store, at: number) => {
  const outcome = store.range({ key: '', prefix: true, revision: at });
  return outcome.ok ? outcome.reply.kvs : outcome.refusal;
};
const created = () => createStore({ protocolVersion: newestProtocol });

function expected(
  state: State,
  asked: RangeRequest,
): { kvs: KeyValue[]; count: number; more: boolean } {
  const inSpan = sorted(state).filter((kv) => kv.key.startsWith(asked.key));
  const kvs = inSpan.filter(
    (kv) =>
      kv.modRevision >= (asked.minModRevision ?? 0) &&
      kv.modRevision <= (asked.maxModRevision || 99) &&
      kv.createRevision >= (asked.minCreateRevision ?? 0) &&
      kv.createRevision <= (asked.maxCreateRevision || 99),
  );
  const { by, order } = asked.sort ?? { by: 'key', order: 'ascending' };
  const sign = order === 'ascending' ? 1 : -1;
  kvs.sort((one, other) => (one[by] < other[by] ? -sign : one[by] > other[by] ? sign : 0));
  const limit = asked.limit || Infinity;
  return { kvs: kvs.slice(0, limit), count: inSpan.length, more: kvs.length > limit };
}

describe('store', () => {
  it('holds at every revision what the model holds, through snapshots and compactions', () => {
    const run = fc.property(fc.array(request, { maxLength: 40 }), fc.nat(40), (requests, cut) => {
      let store = created();
      const twin = created();
      const model = new Model();
      let compacted = 0;
      for (const [at, each] of requests.entries()) {
        const index = store.appliedIndex + 1;
        const answer = store.apply(index, { at, requests: [each] });
        expect(twin.apply(index, { at, requests: [each] })).toEqual(answer);
        model.run(each);
        expect(store.status.revision).toBe(model.states.length - 1);
        if (at !== cut) continue;
        store = copyOf(store);
        compacted = Math.floor(store.status.revision / 2);
        const compact = { at, requests: [{ type: 'compact', revision: compacted } as const] };
        // The twin keeps what it could forget, as for a snapshot that goes on.
        twin.beginSnapshot();
        for (const replica of [store, twin]) replica.apply(index + 1, compact);
      }
      expect(twin.status).toEqual(store.status);
      const restored = copyOf(twin);
      expect(bytesOf(restored)).toEqual(bytesOf(store));
      for (let at = Math.max(1, compacted); at < model.states.length; at += 1) {
        for (const replica of [store, twin, restored]) {
          expect(kvsAt(replica, at)).toEqual(sorted(model.states[at] ?? {}));
        }
      }
    });
    fc.assert(run, { numRuns: 120 });
  });

  it('reads spans as the model does, whatever the order, the bounds, the limit and the revision', () => {
    const run = fc.property(
      fc.array(request, { maxLength: 30 }),
      fc.array(range, { minLength: 8, maxLength: 8 }),
      fc.nat(30),
      (requests, ranges, back) => {
        const store = created();
        const model = new Model();
        requests.forEach((each, at) => {
          store.apply(at + 1, { at, requests: [each] });
          model.run(each);
        });
        const then = Math.max(0, model.states.length - 1 - back);
        for (const asked of ranges) {
          for (const at of [0, then]) {
            const state = at === 0 ? model.now : (model.states[at] ?? {});
            expect(store.range({ ...asked, revision: at })).toMatchObject({
              ok: true,
              reply: expected(state, asked),
            });
          }
          const counted = store.range({ ...asked, revision: then, countOnly: true });
          const state = then === 0 ? model.now : (model.states[then] ?? {});
          const { count } = expected(state, asked);
          expect(counted).toMatchObject({ reply: { kvs: [], count } });
        }
      },
    );
    fc.assert(run, { numRuns: 100 });
  });

  it('tells by its events what its states tell', () => {
    const run = fc.property(fc.array(request, { maxLength: 40 }), (requests) => {
      const store = created();
      requests.forEach((each, at) => store.apply(at + 1, { at, requests: [each] }));
      const slice = store.eventsSince({ from: 1, previous: true });
      if (!slice.ok) throw new Error('refused');
      const state: State = {};
      for (const { revision: at, events } of slice.reply.revisions) {
        for (const { type, kv, previous } of events) {
          expect(previous).toEqual(state[kv.key]);
          if (type === 'put') state[kv.key] = kv;
          else delete state[kv.key];
        }
        expect(kvsAt(store, at)).toEqual(sorted(state));
      }
    });
    fc.assert(run, { numRuns: 80 });
  });
});
