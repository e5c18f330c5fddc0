// Transactions inside transactions, kept values and leases, and what a transaction is refused for before it writes anything.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { Asker, bytesOf, copyOf, txn } from './fixture';
import { maxReplyBytes } from './reply-size';
import { maxOperations } from './request-check';
import { createStore } from './store';
import { type Compare, type Operation, type StoreRequest } from './types';

let asker: Asker;

beforeEach(() => {
  asker = new Asker();
});

const put = (key: string, value = key): Operation => ({ type: 'put', key, value });
const gone = (key: string): Compare => ({ key, target: 'version', operator: '=', value: 0 });

describe('a transaction inside another', () => {
  it('takes its own branch, and all of it is one revision', () => {
    asker.put('a');
    const reply = asker.done(
      txn({
        compare: [gone('b')],
        success: [
          put('b'),
          txn({ compare: [gone('a')], success: [put('c')], failure: [put('d'), put('e')] }),
          { type: 'range', key: '', prefix: true, keysOnly: true },
        ],
      }),
    );
    expect(reply).toMatchObject({
      succeeded: true,
      revision: 2,
      results: [
        { type: 'put' },
        { type: 'txn', succeeded: false, results: [{ type: 'put' }, { type: 'put' }] },
        { type: 'range', count: 4 },
      ],
    });
    expect(asker.read()).toEqual(['a=a', 'b=b', 'd=d', 'e=e']);
    expect(asker.store.status.revision).toBe(2);
  });

  it('compares with the state before the whole transaction', () => {
    const reply = asker.done(
      txn({ success: [put('a'), txn({ compare: [gone('a')], success: [put('b')] })] }),
    );
    expect(reply.results[1]).toEqual({ type: 'txn', succeeded: true, results: [{ type: 'put' }] });
    expect(asker.read()).toEqual(['a=a', 'b=b']);
  });

  it('sees in its ranges what was written before it', () => {
    const range: Operation = { type: 'range', key: 'a' };
    const reply = asker.done(txn({ success: [put('a'), txn({ success: [range] })] }));
    expect(reply.results[1]).toMatchObject({ results: [{ kvs: [{ value: 'a' }] }] });
  });

  it('goes four levels deep and no deeper', () => {
    const nested = (levels: number): ReturnType<typeof txn> =>
      txn({ success: levels === 1 ? [put('deep')] : [nested(levels - 1)] });
    expect(asker.refusal(nested(5))).toBe(
      'invalid_request success.0.success.0.success.0.success.0.type',
    );
    expect(asker.refusal(nested(4))).toBe('done');
  });

  it('counts towards one bound of operations', () => {
    const puts = Array.from({ length: maxOperations / 2 }, (_, at) => put(`k${at}`));
    const both = txn({ success: puts, failure: puts });
    expect(asker.refusal(txn({ success: [both] }))).toBe('invalid_request success');
    expect(asker.refusal(both)).toBe('done');
  });

  it.each<[string, Operation[]]>([
    ['a put beside it', [put('a'), txn({ failure: [put('a')] })]],
    [
      'a deletion beside it',
      [{ type: 'delete', key: '', prefix: true }, txn({ success: [put('a')] })],
    ],
    [
      'its deletion of a key put beside it',
      [put('ab'), txn({ failure: [{ type: 'delete', key: 'a', prefix: true }] })],
    ],
    ['another one', [txn({ success: [put('a')] }), txn({ failure: [put('a')] })]],
    ['one inside it', [txn({ success: [put('a'), txn({ success: [put('a')] })] })]],
  ])('is refused a key that is also written by %s', (_what, success) => {
    expect(asker.refusal(txn({ success }))).toMatch(/^invalid_request .*key$/);
    expect(asker.store.status.revision).toBe(0);
  });

  it('may write a key in both of its branches, of which one runs', () => {
    const either = txn({ success: [put('a')], failure: [put('a'), put('b')] });
    expect(asker.refusal(txn({ success: [either] }))).toBe('done');
  });
});

describe('a put that keeps', () => {
  it('the value, or the lease, or both', () => {
    for (const lease of ['one', 'two']) {
      asker.done({ type: 'grantLease', ttlMs: 1_000, lease });
    }
    const kv = () => asker.store.range({ key: 'k' });
    asker.put('k', 'first', { lease: 'one' });
    asker.put('k', '', { ignoreValue: true, lease: 'two' });
    expect(kv()).toMatchObject({ reply: { kvs: [{ value: 'first', lease: 'two', version: 2 }] } });
    asker.put('k', 'second', { ignoreLease: true });
    expect(kv()).toMatchObject({ reply: { kvs: [{ value: 'second', lease: 'two' }] } });
    asker.put('k', '', { ignoreValue: true, ignoreLease: true });
    expect(kv()).toMatchObject({ reply: { kvs: [{ value: 'second', lease: 'two', version: 4 }] } });
    asker.put('k', '', { ignoreValue: true });
    expect(kv()).toMatchObject({ reply: { kvs: [{ value: 'second', version: 5 }] } });
    expect(asker.store.lease('two')).toMatchObject({ keys: 0 });
  });

  it('needs a key, and brings nothing in its place', () => {
    const request = { type: 'put', key: 'k', value: '' } as const;
    expect(asker.refusal({ ...request, ignoreValue: true })).toBe('key_not_found key');
    expect(asker.refusal({ ...request, ignoreLease: true })).toBe('key_not_found key');
    expect(asker.refusal({ ...request, value: 'x', ignoreValue: true })).toBe(
      'invalid_request value',
    );
    expect(asker.refusal({ ...request, lease: 'l', ignoreLease: true })).toBe(
      'invalid_request lease',
    );
  });
});

describe('a transaction that can not be done whole', () => {
  it('writes nothing on any replica if a range of it fails, before or after a compaction (bug 35)', () => {
    for (let value = 0; value < 6; value += 1) asker.put('a', String(value));
    const copy = copyOf(asker.store);
    const requests = (revision: number): StoreRequest[] => [
      txn({ success: [put('b'), { type: 'range', key: 'a', revision }, put('c')] }),
      txn({ success: [put('d'), txn({ success: [{ type: 'range', key: 'a', revision }] })] }),
    ];
    // One replica has swept what was compacted, the other still holds it for a snapshot.
    const held = copy.beginSnapshot();
    for (const store of [asker.store, copy]) {
      const outcomes = store.apply(7, {
        at: 1,
        requests: [{ type: 'compact', revision: 4 }, ...requests(3), ...requests(7)],
      });
      expect(outcomes.slice(1)).toMatchObject([
        { refusal: { code: 'revision_compacted', field: 'success.1.revision' } },
        { refusal: { code: 'revision_compacted', field: 'success.1.success.0.revision' } },
        { refusal: { code: 'revision_future' } },
        { refusal: { code: 'revision_future' } },
      ]);
      expect(store.status).toMatchObject({ revision: 6, keys: 1 });
    }
    held.close();
    expect(copy.status).toEqual(asker.store.status);
    expect(bytesOf(copy)).toEqual(bytesOf(asker.store));
    expect(asker.store.apply(8, { at: 1, requests: requests(4) })).toMatchObject([
      { ok: true },
      { ok: true },
    ]);
  });

  it('writes nothing if the previous values that it asks for are too large for an answer', () => {
    for (let key = 0; key < 3; key += 1) asker.put(`k${key}`, 'v'.repeat(maxReplyBytes / 2));
    const all = { type: 'delete', key: 'k', prefix: true } as const;
    expect(asker.refusal({ ...all, previous: true })).toBe('payload_too_large previous');
    expect(asker.refusal(txn({ success: [put('x'), { ...all, previous: true }] }))).toBe(
      'payload_too_large success.1.previous',
    );
    expect(asker.store.status).toMatchObject({ keys: 3, revision: 3 });
    expect(asker.done(all)).toMatchObject({ deleted: 3 });
  });

  it('shares the room of one answer among its ranges', () => {
    asker.put('a', 'v'.repeat(maxReplyBytes - 1_000));
    asker.put('b', 'v'.repeat(2_000));
    const range = (key: string): Operation => ({ type: 'range', key });
    expect(
      asker.done(txn({ success: [range('a'), range('b'), range('none')] })).results,
    ).toMatchObject([
      { count: 1, more: false },
      { kvs: [], count: 1, more: true },
      { count: 0, more: false },
    ]);
  });
});

describe('protocol', () => {
  it.each<StoreRequest>([
    txn({ success: [txn({})] }),
    txn({ failure: [{ type: 'put', key: 'a', value: '', ignoreValue: true }] }),
    txn({ success: [{ type: 'range', key: 'a', sort: { by: 'value', order: 'ascending' } }] }),
    txn({ success: [{ type: 'range', key: 'a', minModRevision: 1 }] }),
    { type: 'put', key: 'a', value: '', ignoreValue: true },
    { type: 'put', key: 'a', value: '1', ignoreLease: true },
    { type: 'setSettings', quotaBytes: 1 },
    { type: 'setAlarm', alarm: 'corrupt' },
    { type: 'clearAlarm', alarm: 'corrupt' },
    { type: 'checkpointLease', leases: [] },
    { type: 'expireLease', lease: 'l', grant: 1 },
  ])('refuses what an older member would not understand: %j', (request) => {
    asker = new Asker(createStore());
    expect(asker.store.status.protocolVersion).toBe(1);
    asker.put('a', '1');
    expect(asker.refusal(request)).toBe('version_unsupported');
    asker.done({ type: 'setProtocol', version: 2 });
    expect(asker.refusal(request)).not.toBe('version_unsupported');
  });

  it('only rises', () => {
    asker.done({ type: 'setProtocol', version: 3 });
    expect(asker.done({ type: 'setProtocol', version: 2 })).toMatchObject({ protocolVersion: 3 });
    expect(copyOf(asker.store).status.protocolVersion).toBe(3);
  });

  it('has no request that a release may pass over', () => {
    const unknown = { type: 'invented' } as unknown as StoreRequest;
    expect(() => asker.ask(unknown)).toThrow("does not know requests of type 'invented'");
  });
});
