// Tables over the store: what each request does and what it refuses. One store a test, commands in log order.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { createStore, type Store } from './store';
import { type Outcome, type ReplyByType, type StoreRequest } from './types';

let store: Store;
let logIndex: number;

beforeEach(() => {
  store = createStore();
  logIndex = 0;
});

function ask<R extends StoreRequest>(request: R): Outcome<ReplyByType[R['type']]> {
  logIndex += 1;
  const [outcome] = store.apply(logIndex, { at: 1_000 + logIndex, requests: [request] });
  return outcome as Outcome<ReplyByType[R['type']]>;
}

function done<R extends StoreRequest>(request: R): ReplyByType[R['type']] {
  const outcome = ask(request);
  if (!outcome.ok) throw new Error(`refused: ${JSON.stringify(outcome.refusal)}`);
  return outcome.reply;
}

function refusal(request: StoreRequest): string {
  const outcome = ask(request);
  return outcome.ok ? 'done' : outcome.refusal.code;
}

const put = (key: string, value: string, rest: { lease?: string; previous?: boolean } = {}) =>
  ({ type: 'put', key, value, ...rest }) as const;

function keysOf(prefix: string, revision?: number): string[] {
  const outcome = store.range({ key: prefix, prefix: true, ...(revision ? { revision } : {}) });
  return outcome.ok ? outcome.reply.kvs.map(({ key, value }) => `${key}=${value}`) : [];
}

describe('put', () => {
  it('counts create revision, mod revision and version as etcd does', () => {
    done(put('a', '1'));
    done(put('b', '1'));
    done(put('a', '2'));
    const read = store.range({ key: 'a' });
    expect(read).toMatchObject({
      ok: true,
      reply: {
        revision: 3,
        count: 1,
        kvs: [{ key: 'a', value: '2', createRevision: 1, modRevision: 3, version: 2 }],
      },
    });
  });

  it('starts a deleted key afresh', () => {
    done(put('a', '1'));
    done({ type: 'delete', key: 'a' });
    done(put('a', '2'));
    expect(store.range({ key: 'a' })).toMatchObject({
      reply: { kvs: [{ createRevision: 3, modRevision: 3, version: 1 }] },
    });
  });

  it('hands back the previous value only when asked', () => {
    done(put('a', '1'));
    expect(done(put('a', '2'))).not.toHaveProperty('previous');
    expect(done(put('a', '3', { previous: true })).previous?.value).toBe('2');
  });

  it('takes a value of any size and any text', () => {
    const value = `${'v'.repeat(3_000_000)}\u0000\ud800😀`;
    done(put('huge', value));
    expect(store.range({ key: 'huge' })).toMatchObject({
      reply: { kvs: [{ value }], more: false },
    });
  });

  it('refuses an empty key and takes no revision for it', () => {
    expect(refusal(put('', '1'))).toBe('key_invalid');
    expect(store.status.revision).toBe(0);
  });
});

describe('range', () => {
  beforeEach(() => {
    for (const key of ['a/1', 'a/2', 'a/3', 'b']) done(put(key, key));
  });

  it.each([
    [{ key: 'a/', prefix: true }, ['a/1', 'a/2', 'a/3'], 3, false],
    [{ key: 'a/1', rangeEnd: 'a/3' }, ['a/1', 'a/2'], 2, false],
    [{ key: 'a/', prefix: true, limit: 2 }, ['a/1', 'a/2'], 3, true],
    [{ key: 'a/', prefix: true, limit: 2, descending: true }, ['a/3', 'a/2'], 3, true],
    [{ key: '', prefix: true, countOnly: true }, [], 4, false],
    [{ key: 'z' }, [], 0, false],
    [{ key: 'b', rangeEnd: 'a' }, [], 0, false],
  ])('reads %j', (request, keys, count, more) => {
    const outcome = store.range(request);
    if (!outcome.ok) throw new Error('refused');
    expect(outcome.reply.kvs.map(({ key }) => key)).toEqual(keys);
    expect(outcome.reply).toMatchObject({ count, more, revision: 4 });
  });

  it('leaves values out when only keys are wanted', () => {
    expect(store.range({ key: 'b', keysOnly: true })).toMatchObject({
      reply: { kvs: [{ key: 'b', value: '' }] },
    });
  });

  it('answers as of an earlier revision, deletions included', () => {
    done({ type: 'delete', key: 'a/2' });
    done(put('a/1', 'new'));
    expect(keysOf('a/', 4)).toEqual(['a/1=a/1', 'a/2=a/2', 'a/3=a/3']);
    expect(keysOf('a/', 5)).toEqual(['a/1=a/1', 'a/3=a/3']);
    expect(keysOf('a/')).toEqual(['a/1=new', 'a/3=a/3']);
  });

  it('refuses a revision that does not exist yet', () => {
    expect(store.range({ key: 'b', revision: 5 })).toMatchObject({
      refusal: { code: 'revision_future', field: 'revision' },
    });
  });
});

describe('delete', () => {
  it('deletes a span in one revision, and takes none where nothing was', () => {
    for (const key of ['a/1', 'a/2', 'b']) done(put(key, key));
    expect(done({ type: 'delete', key: 'a/', prefix: true, previous: true })).toMatchObject({
      revision: 4,
      deleted: 2,
      previous: [{ key: 'a/1' }, { key: 'a/2' }],
    });
    expect(done({ type: 'delete', key: 'a/', prefix: true })).toEqual({ revision: 4, deleted: 0 });
  });
});

describe('transaction', () => {
  const txn = (rest: Partial<Extract<StoreRequest, { type: 'txn' }>>) =>
    ({ type: 'txn', compare: [], success: [], failure: [], ...rest }) as const;

  it('writes all its operations in one revision and reads its own writes', () => {
    const reply = done(
      txn({
        success: [put('a', '1'), { type: 'range', key: 'a' }, put('b', '2')],
      }),
    );
    expect(reply).toMatchObject({
      succeeded: true,
      revision: 1,
      results: [{ type: 'put' }, { type: 'range', kvs: [{ value: '1' }] }, { type: 'put' }],
    });
    expect(store.eventsSince({ from: 1 })).toMatchObject({
      reply: { through: 1, revisions: [{ revision: 1, events: [{}, {}] }] },
    });
  });

  it('takes the failure branch without touching the other', () => {
    done(put('a', '1'));
    const absent = { key: 'a', target: 'createRevision', operator: '=', value: 0 } as const;
    const reply = done(
      txn({ compare: [absent], success: [put('a', '2')], failure: [{ type: 'range', key: 'a' }] }),
    );
    expect(reply).toMatchObject({ succeeded: false, revision: 1, results: [{ count: 1 }] });
    expect(keysOf('a')).toEqual(['a=1']);
  });

  it.each([
    ['version', '=', 2, true],
    ['version', '>', 2, false],
    ['createRevision', '=', 1, true],
    ['modRevision', '<', 3, true],
    ['modRevision', '!=', 2, false],
    ['value', '=', 'two', true],
    ['value', '<', 'two', false],
    ['lease', '=', '', true],
  ] as const)('compares %s %s %s of a key', (target, operator, value, holds) => {
    done(put('k', 'one'));
    done(put('k', 'two'));
    const compare = [{ key: 'k', target, operator, value }];
    expect(done(txn({ compare })).succeeded).toBe(holds);
  });

  it.each([
    ['version', '=', 0, true],
    ['modRevision', '>', 0, false],
    ['lease', '=', '', true],
    ['value', '=', '', false],
    ['value', '!=', 'x', false],
  ] as const)('compares %s %s %s of an absent key', (target, operator, value, holds) => {
    for (const span of [{ key: 'none' }, { key: 'none/', prefix: true }]) {
      const compare = [{ ...span, target, operator, value }];
      expect(done(txn({ compare })).succeeded).toBe(holds);
    }
  });

  it('demands a compare of every key of a span', () => {
    done(put('s/1', 'x'));
    done(put('s/2', 'y'));
    const below = (value: number) => [
      { key: 's/', prefix: true, target: 'modRevision', operator: '<', value } as const,
    ];
    expect(done(txn({ compare: below(3) })).succeeded).toBe(true);
    expect(done(txn({ compare: below(2) })).succeeded).toBe(false);
  });

  it.each([
    ['two puts of a key', [put('a', '1'), put('a', '2')]],
    ['a put and a delete of a key', [put('a', '1'), { type: 'delete', key: 'a' }]],
    ['a put under a deleted prefix', [{ type: 'delete', key: 'a', prefix: true }, put('ab', '1')]],
  ] as const)('refuses %s, whichever branch holds them', (_what, operations) => {
    expect(refusal(txn({ success: operations }))).toBe('invalid_request');
    expect(refusal(txn({ failure: operations }))).toBe('invalid_request');
    expect(store.status.revision).toBe(0);
  });

  it('refuses a compare whose value is of the wrong kind', () => {
    const compare = [{ key: 'a', target: 'version', operator: '=', value: '1' } as const];
    expect(ask(txn({ compare }))).toMatchObject({ refusal: { field: 'compare.0.value' } });
  });

  it('does nothing at all if a lease of a later operation is missing', () => {
    expect(refusal(txn({ success: [put('a', '1'), put('b', '2', { lease: 'gone' })] }))).toBe(
      'lease_not_found',
    );
    expect(keysOf('')).toEqual([]);
  });
});

describe('lease', () => {
  it('takes its keys with it in one revision', () => {
    const { lease } = done({ type: 'grantLease', ttlMs: 1_000 });
    done(put('a', '1', { lease }));
    done(put('b', '1', { lease }));
    done(put('c', '1'));
    expect(store.lease(lease)).toEqual({ lease, ttlMs: 1_000, keys: 2, grant: 1 });
    expect(done({ type: 'expireLease', lease })).toEqual({ revision: 4, deleted: 2 });
    expect(keysOf('')).toEqual(['c=1']);
    expect(store.lease(lease)).toBeUndefined();
  });

  it('lets go of a key that was put again without it', () => {
    const { lease } = done({ type: 'grantLease', ttlMs: 1_000 });
    done(put('a', '1', { lease }));
    done(put('a', '2'));
    expect(done({ type: 'revokeLease', lease }).deleted).toBe(0);
    expect(keysOf('')).toEqual(['a=2']);
  });

  it('refuses an unknown lease and a name that is taken', () => {
    expect(refusal(put('a', '1', { lease: 'none' }))).toBe('lease_not_found');
    expect(refusal({ type: 'revokeLease', lease: 'none' })).toBe('lease_not_found');
    done({ type: 'grantLease', ttlMs: 1_000, lease: 'mine' });
    expect(refusal({ type: 'grantLease', ttlMs: 1_000, lease: 'mine' })).toBe('lease_exists');
  });
});

describe('command', () => {
  it('gives each request of a batch its own revision and result', () => {
    const outcomes = store.apply(1, {
      at: 5,
      requests: [put('a', '1'), put('', 'bad'), put('b', '1')],
    });
    expect(outcomes).toMatchObject([
      { ok: true, reply: { revision: 1 } },
      { ok: false, refusal: { code: 'key_invalid' } },
      { ok: true, reply: { revision: 2 } },
    ]);
  });

  it('never lets time go back', () => {
    store.apply(1, { at: 50, requests: [put('a', '1')] });
    store.apply(2, { at: 40, requests: [put('a', '2')] });
    const events = store.eventsSince({ from: 1 });
    expect(events).toMatchObject({ reply: { revisions: [{ at: 50 }, { at: 50 }] } });
  });

  it('asserts that an entry is applied once and none is left out', () => {
    store.apply(1, null);
    expect(() => store.apply(1, null)).toThrow('was applied');
    expect(() => store.apply(3, null)).toThrow('was applied');
  });
});
