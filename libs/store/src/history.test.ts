// Events from a revision on, compaction, snapshots and the form of a command.

import { describe, expect, it } from '@jest/globals';
import { decodeCommand, encodeCommand } from './command';
import { LeaseDeadlines } from './lease-deadlines';
import { spanOf } from './span';
import { createStore, Store } from './store';
import { type StoreCommand, type StoreRequest } from './types';

function filled(): { store: Store; ask: (request: StoreRequest) => unknown } {
  const store = createStore();
  let logIndex = 0;
  const ask = (request: StoreRequest) =>
    store.apply((logIndex += 1), { at: 100 + logIndex, requests: [request] })[0];
  ask({ type: 'put', key: 'a', value: '1' });
  ask({ type: 'put', key: 'b', value: '1' });
  ask({ type: 'put', key: 'a', value: '2' });
  ask({ type: 'delete', key: 'b' });
  ask({ type: 'put', key: 'c', value: '1' });
  return { store, ask };
}

describe('events since a revision', () => {
  it('delivers each revision once, in order, with the values that were replaced', () => {
    const { store } = filled();
    const slice = store.eventsSince({ from: 2, previous: true });
    expect(slice).toMatchObject({
      reply: {
        through: 5,
        revisions: [
          { revision: 2, at: 102, events: [{ type: 'put', kv: { key: 'b' } }] },
          { revision: 3, events: [{ kv: { value: '2' }, previous: { value: '1' } }] },
          {
            revision: 4,
            events: [{ type: 'delete', kv: { key: 'b', version: 0, modRevision: 4 } }],
          },
          { revision: 5, events: [{ kv: { key: 'c' } }] },
        ],
      },
    });
  });

  it('looks past revisions that hold nothing of the span, and says how far it looked', () => {
    const { store } = filled();
    const span = spanOf({ key: 'b' });
    expect(store.eventsSince({ from: 3, span, limit: 1 })).toEqual({
      ok: true,
      reply: { through: 3, revisions: [] },
    });
    expect(store.eventsSince({ from: 6, span })).toEqual({
      ok: true,
      reply: { through: 5, revisions: [] },
    });
  });
});

describe('compaction', () => {
  it('keeps what a read at the compacted revision sees, and refuses earlier ones', () => {
    const { store, ask } = filled();
    ask({ type: 'compact', revision: 4 });
    expect(store.status).toMatchObject({ compactRevision: 4, historyLength: 1 });
    expect(store.range({ key: '', prefix: true, revision: 4 })).toMatchObject({
      reply: { kvs: [{ key: 'a', value: '2', createRevision: 1 }] },
    });
    expect(store.range({ key: 'a', revision: 3 })).toMatchObject({
      refusal: { code: 'revision_compacted' },
    });
    expect(store.eventsSince({ from: 4 })).toMatchObject({
      refusal: { code: 'revision_compacted', facts: { compactRevision: 4 } },
    });
    expect(store.eventsSince({ from: 5 })).toMatchObject({
      reply: { revisions: [{ revision: 5 }] },
    });
  });
});

describe('snapshot', () => {
  it('restores a store that equals its source and goes on as it would', () => {
    const { store, ask } = filled();
    ask({ type: 'grantLease', ttlMs: 1_000, once: { client: 'c', sequence: 1 } });
    ask({ type: 'put', key: 'd', value: '1', lease: 'lease-1' });
    ask({ type: 'compact', revision: 3 });
    const copy = Store.restore(store.snapshot());
    expect(copy.hash()).toBe(store.hash());
    expect(copy.status).toEqual(store.status);
    const next: StoreCommand = {
      at: 1,
      requests: [
        { type: 'grantLease', ttlMs: 1_000, once: { client: 'c', sequence: 1 } },
        { type: 'revokeLease', lease: 'lease-1' },
        { type: 'put', key: 'a', value: '3', previous: true },
      ],
    };
    expect(copy.apply(20, next)).toEqual(store.apply(20, next));
    expect(copy.hash()).toBe(store.hash());
  });

  it('hashes differently after any change', () => {
    const { store, ask } = filled();
    const before = store.hash();
    ask({ type: 'put', key: 'a', value: '2' });
    expect(store.hash()).not.toBe(before);
  });
});

describe('command', () => {
  const command: StoreCommand = {
    at: 7,
    requests: [{ type: 'put', key: 'ключ', value: '\u0000é😀' }],
  };

  it('survives encoding', () => {
    expect(decodeCommand(encodeCommand(command))).toEqual(command);
  });

  it('is refused in a version that this release does not know', () => {
    const bytes = encodeCommand(command);
    bytes[0] = 2;
    expect(() => decodeCommand(bytes)).toThrow('version 2');
  });
});

describe('lease deadlines', () => {
  it('run out once, unless renewed in time', () => {
    const deadlines = new LeaseDeadlines();
    deadlines.restart([{ lease: 'a', ttlMs: 100, keys: 0 }], 0);
    deadlines.granted('b', 100, 50);
    expect(deadlines.renew('a', 90)).toBe(100);
    expect(deadlines.takeExpired(150)).toEqual(['b']);
    expect(deadlines.takeExpired(150)).toEqual([]);
    expect(deadlines.remainingMs('a', 150)).toBe(40);
  });

  it('refuse a renewal whose end is under way, and allow it if that came to nothing', () => {
    const deadlines = new LeaseDeadlines();
    deadlines.granted('a', 100, 0);
    expect(deadlines.takeExpired(100)).toEqual(['a']);
    expect(deadlines.renew('a', 101)).toBeUndefined();
    deadlines.endingFailed('a');
    expect(deadlines.renew('a', 101)).toBe(100);
  });

  it('give every lease its full time again at the taking of office', () => {
    const deadlines = new LeaseDeadlines();
    deadlines.granted('a', 100, 0);
    deadlines.restart([{ lease: 'a', ttlMs: 100, keys: 1 }], 99);
    expect(deadlines.takeExpired(198)).toEqual([]);
    expect(deadlines.takeExpired(199)).toEqual(['a']);
  });
});
