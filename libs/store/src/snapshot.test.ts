// Snapshots: taken in slices while the store goes on, loaded in pieces of any size, believed only if whole.

import { describe, expect, it } from '@jest/globals';
import { crc32 } from './crc32';
import { Asker, bytesOf, copyOf, restored, txn } from './fixture';
import { StoreSnapshotError } from './snapshot-format';
import { Store } from './store';

/** History on both sides of a compaction, tombstones, leases, kept answers, settings, alarms. */
function lived(): Asker {
  const asker = new Asker();
  asker.done({ type: 'grantLease', ttlMs: 9_000, lease: 'long' });
  asker.done({ type: 'checkpointLease', leases: [{ lease: 'long', remainingMs: 4_000 }] });
  for (let round = 0; round < 3; round += 1) {
    for (let key = 0; key < 40; key += 1) asker.put(`k/${key}`, `é${round}`);
    asker.done({ type: 'delete', key: `k/${round}` });
  }
  asker.put('leased', '1', { lease: 'long', previous: true });
  asker.ask({ type: 'put', key: 'o', value: '1', once: { client: 'c', sequence: 1 } });
  asker.ask({ type: 'delete', key: 'o', once: { client: 'c', sequence: 2, settledBelow: 1 } });
  asker.done({ type: 'compact', revision: 60 });
  asker.done({ type: 'setSettings', quotaBytes: 1_000_000, historyMs: 5_000 });
  asker.done({ type: 'setAlarm', alarm: 'nospace' });
  return asker;
}

function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

describe('snapshot', () => {
  it('restores a store that equals its source and goes on as it would', () => {
    const { store, logIndex } = lived();
    const copy = copyOf(store);
    expect(copy.status).toEqual(store.status);
    expect(copy.leases()).toEqual(store.leases());
    expect(copy.eventsSince({ from: 61, previous: true })).toEqual(
      store.eventsSince({ from: 61, previous: true }),
    );
    for (const each of [store, copy]) {
      each.apply(logIndex + 1, {
        at: 1,
        requests: [
          { type: 'clearAlarm', alarm: 'nospace' },
          { type: 'delete', key: 'o', once: { client: 'c', sequence: 2 } },
          { type: 'grantLease', ttlMs: 1_000 },
          { type: 'revokeLease', lease: 'long' },
          { type: 'put', key: 'k/2', value: 'again' },
        ],
      });
    }
    expect(bytesOf(copy)).toEqual(bytesOf(store));
    expect(copy.revisionAt(1_100)).toBe(store.revisionAt(1_100));
  });

  it('shows the moment of its beginning, whatever is written and compacted meanwhile', () => {
    const still = lived();
    const moving = lived();
    const source = moving.store.beginSnapshot();
    const loader = Store.loader();
    for (let slice = source.next(700); slice !== null; slice = source.next(700)) {
      loader.push(slice);
      const { revision } = moving.store.status;
      moving.done({ type: 'clearAlarm', alarm: 'nospace' });
      moving.done({ type: 'put', key: `k/${revision % 60}`, value: 'later' });
      moving.done({ type: 'delete', key: `k/${(revision * 7) % 40}` });
      moving.ask({ type: 'put', key: 'o', value: '', once: { client: 'c', sequence: revision } });
      moving.done({ type: 'compact', revision });
    }
    const copy = loader.finish();
    expect(copy.status).toEqual(still.store.status);
    expect(bytesOf(copy)).toEqual(bytesOf(still.store));
  });

  it('holds memory back only until it ends or is closed', () => {
    const { store, ...asker } = lived();
    const source = store.beginSnapshot();
    source.close();
    source.close();
    expect(source.next(100)).toBeNull();
    store.apply(asker.logIndex + 1, { at: 1, requests: [{ type: 'compact', revision: 120 }] });
    expect(store.sweep(10_000)).toBe(false);
    const held = store.beginSnapshot();
    expect(store.sweep(10_000)).toBe(true);
    held.close();
    expect(store.sweep(10_000)).toBe(false);
  });

  it('comes in slices of the size that was asked for', () => {
    const { store } = lived();
    const source = store.beginSnapshot();
    const sizes: number[] = [];
    for (let slice = source.next(500); slice !== null; slice = source.next(500)) {
      sizes.push(slice.length);
    }
    expect(sizes.length).toBeGreaterThan(3);
    expect(sizes.slice(0, -1).every((size) => size === 500)).toBe(true);
  });

  it.each([1, 7, 100_000])('is loaded from pieces of %d bytes', (pieceBytes) => {
    const { store } = lived();
    expect(restored(bytesOf(store), pieceBytes).status).toEqual(store.status);
  });

  it('is refused if any byte of it has changed', () => {
    const bytes = bytesOf(lived().store);
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      const error = errorOf(() => restored(changed, bytes.length));
      expect({ at, error }).toEqual({ at, error: expect.any(StoreSnapshotError) });
    }
  });

  it('is refused if it is cut off anywhere, or goes on after its end', () => {
    const bytes = bytesOf(lived().store);
    for (let length = 0; length < bytes.length; length += 37) {
      const error = errorOf(() => restored(bytes.slice(0, length), bytes.length));
      expect({ length, error }).toMatchObject({ error: { code: 'snapshot_damaged' } });
    }
    const twice = new Uint8Array([...bytes, ...bytes]);
    expect(errorOf(() => restored(twice))).toMatchObject({ code: 'snapshot_damaged' });
  });

  it('is refused if a record of it is missing or stands in another place', () => {
    const records: Uint8Array[] = [];
    const bytes = bytesOf(lived().store);
    for (let at = 0; at < bytes.length;) {
      const length = 8 + new DataView(bytes.buffer, at).getUint32(0, true);
      records.push(bytes.slice(at, at + length));
      at += length;
    }
    const join = (parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));
    const [first, second, third, ...rest] = records as [Uint8Array, Uint8Array, Uint8Array];
    expect(errorOf(() => restored(join([first, third, ...rest])))).toBeDefined();
    expect(errorOf(() => restored(join([first, third, second, ...rest])))).toBeDefined();
    expect(errorOf(() => restored(join([first, second, third, ...rest])))).toBeUndefined();
  });

  it('can raise the revision, so that none is given twice, and then counts as compacted', () => {
    const { store } = lived();
    const { revision } = store.status;
    const loader = Store.loader();
    loader.push(bytesOf(store));
    const copy = loader.finish({ bumpRevisionBy: 1_000, markCompacted: true });
    expect(copy.status).toMatchObject({
      revision: revision + 1_000,
      compactRevision: revision + 1_000,
      historyLength: 0,
      keys: store.status.keys,
    });
    expect(copy.eventsSince({ from: revision })).toMatchObject({
      refusal: { code: 'revision_compacted', facts: { compactRevision: revision + 1_000 } },
    });
    expect(copy.range({ key: 'k/5' })).toMatchObject({ reply: { kvs: [{ value: 'é2' }] } });
    expect(copyOf(copy).status).toEqual(copy.status);
    expect(copy.status.stateHash).not.toBe(store.status.stateHash);
    // Nor is a lease's name, which somebody may still renew who was given it after the backup.
    const grant = (at: Store) => {
      const clearing = { type: 'clearAlarm', alarm: 'nospace' } as const;
      const requests = [clearing, { type: 'grantLease', ttlMs: 1_000 }] as const;
      return at.apply(at.appliedIndex + 1, { at: 0, requests })[1];
    };
    expect(grant(store)).toMatchObject({ reply: { lease: 'lease-1' } });
    expect(grant(copy)).toMatchObject({ reply: { lease: 'lease-1001' } });
  });
});

describe('state hash', () => {
  it('is equal after equal entries and differs after any that differs', () => {
    const [one, other] = [lived(), lived()];
    expect(one.store.status.stateHash).toBe(other.store.status.stateHash);
    one.done({ type: 'clearAlarm', alarm: 'nospace' });
    other.done({ type: 'clearAlarm', alarm: 'nospace' });
    one.put('k', 'a'.repeat(999));
    other.put('k', `${'a'.repeat(499)}b${'a'.repeat(499)}`);
    expect(one.store.status.stateHash).not.toBe(other.store.status.stateHash);
  });

  it('tells replicas apart that refuse differently', () => {
    const [one, other] = [new Asker(), new Asker()];
    one.ask({ type: 'put', key: 'a', value: '', lease: 'none' });
    other.ask({ type: 'put', key: 'a', value: '', ignoreValue: true });
    expect(one.store.status.stateHash).not.toBe(other.store.status.stateHash);
  });

  it('is kept at the last 64 multiples of 1,000 entries, through a snapshot', () => {
    const asker = new Asker();
    for (let index = 1; index <= 66_500; index += 1) asker.store.apply(index, null);
    asker.logIndex = 66_500;
    asker.put('a');
    const copy = copyOf(asker.store);
    expect(copy.hashPoints).toEqual(asker.store.hashPoints);
    expect(copy.hashPoints).toHaveLength(64);
    expect(copy.hashPoints.at(-1)).toMatchObject({ appliedIndex: 66_000, revision: 0 });
    expect(copy.hashPoints[0]).toMatchObject({ appliedIndex: 3_000 });
  });
});

describe('checksum', () => {
  it('is the common CRC-32, and can be continued', () => {
    const text = new TextEncoder().encode('123456789');
    expect(crc32(text)).toBe(0xcbf43926);
    expect(crc32(text.subarray(4), crc32(text.subarray(0, 4)))).toBe(0xcbf43926);
  });
});

describe('logical size', () => {
  it('does not depend on what was swept, and falls with what compaction makes unreadable', () => {
    const asker = new Asker();
    for (let round = 0; round < 5; round += 1) asker.put('key', 'v'.repeat(100));
    asker.done({ type: 'delete', key: 'key' });
    const size = 3 + 100 + 64;
    expect(asker.store.status.bytes).toBe(5 * size + 3 + 64);
    asker.done({ type: 'compact', revision: 3 });
    expect(asker.store.status.bytes).toBe(3 * size + 3 + 64);
    const source = asker.store.beginSnapshot();
    asker.done({ type: 'compact', revision: 6 });
    expect(asker.store.status.bytes).toBe(0);
    source.close();
    asker.ask(txn({}));
    expect(asker.store.status).toMatchObject({ bytes: 0, keys: 0 });
  });
});
