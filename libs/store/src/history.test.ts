// Events from a revision on, compaction, snapshots and the form of a command.

import { describe, expect, it } from '@jest/globals';
import { decodeCommand, encodeCommand } from './command';
import { LeaseDeadlines } from './lease-deadlines';
import { type EventFilter } from './history';
import { spanOf } from './span';
import { bytesOf, copyOf } from './fixture';
import { createStore, type Store } from './store';
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

describe('events for a watch (bug 37)', () => {
  it('leave out the kinds that nobody asked for', () => {
    const { store } = filled();
    const kinds = (filters: EventFilter[]) => {
      const slice = store.eventsSince({ from: 1, filters });
      if (!slice.ok) throw new Error('refused');
      expect(slice.reply.through).toBe(5);
      return slice.reply.revisions.flatMap(({ events }) => events.map(({ type }) => type));
    };
    expect(kinds(['noput'])).toEqual(['delete']);
    expect(kinds(['nodelete'])).toEqual(['put', 'put', 'put', 'put']);
    expect(kinds(['noput', 'nodelete'])).toEqual([]);
  });

  it('that starts in the future hold nothing from before its start', () => {
    const { store, ask } = filled();
    expect(store.eventsSince({ from: 8 })).toEqual({
      ok: true,
      reply: { through: 7, revisions: [] },
    });
    for (const value of ['6', '7', '8']) ask({ type: 'put', key: 'a', value });
    expect(store.eventsSince({ from: 8 })).toMatchObject({
      reply: { through: 8, revisions: [{ revision: 8, events: [{ kv: { value: '8' } }] }] },
    });
  });

  it('are none of the deletion at the compacted revision, and all after it, with their previous values', () => {
    const { store, ask } = filled();
    ask({ type: 'put', key: 'b', value: '2' });
    ask({ type: 'delete', key: 'a' });
    ask({ type: 'compact', revision: 4 });
    for (const each of [store, copyOf(store)]) {
      each.sweep(1_000);
      expect(each.eventsSince({ from: 4 })).toMatchObject({ ok: false });
      const slice = each.eventsSince({ from: 5, previous: true });
      if (!slice.ok) throw new Error('refused');
      const events = slice.reply.revisions.map((entry) => entry.events[0]);
      expect(events).toMatchObject([
        { type: 'put', kv: { key: 'c' } },
        { type: 'put', kv: { key: 'b', version: 1, createRevision: 6 } },
        { type: 'delete', kv: { key: 'a' }, previous: { value: '2', modRevision: 3 } },
      ]);
      expect(events[1]).not.toHaveProperty('previous');
    }
  });

  it('are neither lost nor repeated by a snapshot in between', () => {
    const { store, ask } = filled();
    const copy = copyOf(store);
    ask({ type: 'put', key: 'a', value: '9' });
    copy.apply(6, { at: 106, requests: [{ type: 'put', key: 'a', value: '9' }] });
    for (let from = 1; from <= 7; from += 1) {
      expect(copy.eventsSince({ from, previous: true })).toEqual(
        store.eventsSince({ from, previous: true }),
      );
    }
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
    const copy = copyOf(store);
    expect(bytesOf(copy)).toEqual(bytesOf(store));
    expect(copy.status).toEqual(store.status);
    const next: StoreCommand = {
      at: 1,
      requests: [
        { type: 'grantLease', ttlMs: 1_000, once: { client: 'c', sequence: 1 } },
        { type: 'revokeLease', lease: 'lease-1' },
        { type: 'put', key: 'a', value: '3', previous: true },
      ],
    };
    const index = store.appliedIndex + 1;
    expect(copy.apply(index, next)).toEqual(store.apply(index, next));
    expect(bytesOf(copy)).toEqual(bytesOf(store));
  });

  it('hashes differently after any change', () => {
    const { store, ask } = filled();
    const before = store.status.stateHash;
    ask({ type: 'put', key: 'a', value: '2' });
    expect(store.status.stateHash).not.toBe(before);
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
    deadlines.restart([{ lease: 'a', ttlMs: 100 }], 0);
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
    deadlines.restart([{ lease: 'a', ttlMs: 100 }], 99);
    expect(deadlines.takeExpired(198)).toEqual([]);
    expect(deadlines.takeExpired(199)).toEqual(['a']);
  });
});
