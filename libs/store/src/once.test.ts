// Once-only requests: the same client and sequence is applied once, however often it is in the log.

import { describe, expect, it } from '@jest/globals';
import { bytesOf, copyOf } from './fixture';
import { maxAnswerCharacters, maxAnswersPerClient, maxClients } from './sessions';
import { createStore } from './store';
import { type StoreRequest } from './types';

function asker(store = createStore()) {
  let logIndex = 0;
  const ask = (request: StoreRequest) =>
    store.apply((logIndex += 1), { at: 1, requests: [request] })[0];
  const put = (sequence: number, settledBelow?: number, client = 'c') =>
    ask({
      type: 'put',
      key: 'k',
      value: String(sequence),
      once: { client, sequence, ...(settledBelow === undefined ? {} : { settledBelow }) },
    });
  return { store, ask, put };
}

describe('once', () => {
  it('repeats the answer and does not apply again', () => {
    const { store, put } = asker();
    const first = put(1);
    put(2);
    expect(put(1)).toEqual(first);
    expect(store.range({ key: 'k' })).toMatchObject({
      reply: { kvs: [{ value: '2', version: 2 }] },
    });
  });

  it('repeats a refusal even after its reason is gone', () => {
    const { ask } = asker();
    const request: StoreRequest = {
      type: 'put',
      key: 'k',
      value: '1',
      lease: 'l',
      once: { client: 'c', sequence: 1 },
    };
    const first = ask(request);
    ask({ type: 'grantLease', ttlMs: 1_000, lease: 'l' });
    expect(ask(request)).toEqual(first);
  });

  it('keeps clients apart', () => {
    const { put } = asker();
    put(1, 0, 'c');
    expect(put(1, 0, 'd')).toMatchObject({ ok: true, reply: { revision: 2 } });
  });

  it('refuses, and never applies, what the client called settled', () => {
    const { store, put } = asker();
    put(1);
    put(2);
    put(3, 3);
    expect(put(2)).toMatchObject({ ok: false, refusal: { code: 'request_superseded' } });
    expect(store.status.revision).toBe(3);
  });

  it('bounds the answers of a client, refusing the lost ones', () => {
    const { store, put } = asker();
    for (let sequence = 1; sequence <= maxAnswersPerClient + 1; sequence += 1) put(sequence);
    const { revision } = store.status;
    expect(put(1)).toMatchObject({ refusal: { code: 'request_superseded' } });
    expect(put(2)).toMatchObject({ ok: true });
    expect(store.status.revision).toBe(revision);
  });

  it('forgets the client unused for longest', () => {
    const { store, put } = asker();
    put(1, 0, 'first');
    put(1, 0, 'second');
    put(2, 0, 'first');
    for (let at = 2; at < maxClients; at += 1) put(1, 0, `filler-${at}`);
    put(1, 0, 'one-too-many');
    const { revision } = store.status;
    put(1, 0, 'first');
    expect(store.status.revision).toBe(revision);
    put(1, 0, 'second');
    expect(store.status.revision).toBe(revision + 1);
  });

  it('does not do again what was committed before its sender lost the answer (bug 24)', () => {
    const { store, ask } = asker();
    ask({ type: 'put', key: 'count', value: '0' });
    const increment: StoreRequest = {
      type: 'txn',
      compare: [{ key: 'count', target: 'value', operator: '=', value: '0' }],
      success: [{ type: 'put', key: 'count', value: '1', previous: true }],
      failure: [{ type: 'put', key: 'failed', value: '' }],
      once: { client: 'c', sequence: 7 },
    };
    const first = ask(increment);
    // A new leader, restored from a snapshot, gets it again, twice in one entry.
    const successor = copyOf(store);
    const command = { at: 9, requests: [increment, increment] };
    for (const replica of [store, successor]) {
      expect(replica.apply(replica.appliedIndex + 1, command)).toEqual([first, first]);
      expect(replica.range({ key: 'failed' })).toMatchObject({ reply: { count: 0 } });
    }
    expect(successor.status).toEqual(store.status);
  });

  it('repeats whatever kind of answer there was', () => {
    const { ask } = asker();
    const once = (sequence: number) => ({ once: { client: 'c', sequence } });
    const requests: StoreRequest[] = [
      { type: 'put', key: 'k', value: '1', ...once(1) },
      { type: 'put', key: 'k', value: '2', previous: true, ...once(2) },
      { type: 'delete', key: 'none', ...once(3) },
      { type: 'grantLease', ttlMs: 1_000, ...once(4) },
      { type: 'revokeLease', lease: 'unknown', ...once(5) },
      { type: 'put', key: 'k', value: '3', lease: 'unknown', ...once(6) },
    ];
    const first = requests.map(ask);
    expect(requests.map(ask)).toEqual(first);
  });

  it('bounds what the answers of a client hold, the last one apart', () => {
    const { store, ask } = asker();
    ask({ type: 'put', key: 'k', value: 'v'.repeat(500_000) });
    const read = (sequence: number): StoreRequest => ({
      type: 'txn',
      compare: [],
      success: [{ type: 'range', key: 'k' }],
      failure: [],
      once: { client: 'c', sequence },
    });
    for (let sequence = 1; sequence <= 10; sequence += 1) ask(read(sequence));
    expect(ask(read(1))).toMatchObject({ refusal: { code: 'request_superseded' } });
    expect(ask(read(10))).toMatchObject({ ok: true });
    expect(bytesOf(store).length).toBeLessThan(maxAnswerCharacters + 1_500_000);
    expect(
      copyOf(store).apply(store.appliedIndex + 1, { at: 1, requests: [read(9)] }),
    ).toMatchObject([{ ok: true }]);
  });
});
