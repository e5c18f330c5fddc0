// The store in memory behaves as the cluster does, as far as a unit test can see it; activation is tested on top of it.

import { describe, expect, it, jest } from '@jest/globals';
import { Activation, type ActivationLoss } from './activation';
import { systemTime } from '@skein/time';
import { createMemoryStore, type MemoryStore } from './memory-store';
import type { RevisionEvents } from './store';

/** Lets every queued microtask run. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function collect(store: MemoryStore, fromRevision?: number) {
  const seen: RevisionEvents[] = [];
  const watch = store.watch({
    prefix: 'a/',
    fromRevision,
    onEvents: (revisions) => seen.push(...revisions),
  });
  return { seen, watch };
}

describe('memory store', () => {
  it('reads what it wrote, and throws refusals with their code', async () => {
    const store = createMemoryStore();
    await store.put({ key: 'k', value: 'v' });
    expect(await store.get('k')).toMatchObject({ value: 'v', modRevision: 1 });
    expect(await store.get('none')).toBeUndefined();
    await expect(store.put({ key: 'k', value: 'v', lease: 'none' })).rejects.toMatchObject({
      code: 'lease_not_found',
      field: 'lease',
    });
  });

  it('delivers each revision of a span once, from the one asked for', async () => {
    const store = createMemoryStore();
    await store.put({ key: 'a/1', value: '1' });
    await store.put({ key: 'b', value: '1' });
    const { seen, watch } = collect(store, 1);
    await store.put({ key: 'a/2', value: '1' });
    await settled();
    expect(seen.map(({ revision }) => revision)).toEqual([1, 3]);
    watch.close();
    await store.put({ key: 'a/3', value: '1' });
    await settled();
    expect(seen).toHaveLength(2);
  });

  it('delivers only what is new if no revision is asked for', async () => {
    const store = createMemoryStore();
    await store.put({ key: 'a/1', value: '1' });
    const { seen } = collect(store);
    await store.put({ key: 'a/2', value: '1' });
    await settled();
    expect(seen.map(({ revision }) => revision)).toEqual([2]);
  });

  it('tells a watch that its revisions are compacted', async () => {
    const store = createMemoryStore();
    await store.put({ key: 'a/1', value: '1' });
    store.compact(1);
    const onCompacted = jest.fn();
    store.watch({ prefix: '', fromRevision: 1, onEvents: () => undefined, onCompacted });
    await settled();
    expect(onCompacted).toHaveBeenCalledWith(1);
  });

  it('refuses everything while unavailable', async () => {
    const store = createMemoryStore();
    store.isUnavailable = true;
    await expect(store.get('k')).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('activation', () => {
  const lost = (reasons: ActivationLoss[]) => (reason: ActivationLoss) => reasons.push(reason);
  const take = (store: MemoryStore, replica: string, reasons: ActivationLoss[] = []) =>
    Activation.take({ store, kind: 'network', id: 'n1', replica, onLost: lost(reasons) });

  it('is held by one, and names the holder to others', async () => {
    const store = createMemoryStore();
    const first = await take(store, 'r1');
    expect(first).toBeInstanceOf(Activation);
    expect(await take(store, 'r2')).toEqual({ heldBy: 'r1' });
    expect((await store.leases()).leases).toHaveLength(1);
    if (first instanceof Activation) await first.release();
    expect(await take(store, 'r2')).toBeInstanceOf(Activation);
  });

  it('shuts a predecessor out of every transaction', async () => {
    const store = createMemoryStore();
    const first = (await take(store, 'r1')) as Activation;
    const { leases } = await store.leases();
    store.expireLease(leases[0]?.lease ?? '');
    const second = (await take(store, 'r2')) as Activation;
    expect(second.fencing).toBeGreaterThan(first.fencing);
    const write = (activation: Activation) =>
      store.txn({
        compare: [activation.fence()],
        success: [{ type: 'put', key: 'k', value: 'v' }],
      });
    expect((await write(first)).succeeded).toBe(false);
    expect((await write(second)).succeeded).toBe(true);
  });

  it('is not sure of itself after a sleep that its monotonic clock has missed', async () => {
    let slept = 0;
    const time = { ...systemTime, wallMs: () => systemTime.wallMs() + slept };
    const options = { store: createMemoryStore(), time, kind: 'network', id: 'n1', replica: 'r1' };
    const activation = (await Activation.take({
      ...options,
      onLost: () => undefined,
    })) as Activation;
    expect(activation.isActive).toBe(true);
    slept = 60_000;
    expect(activation.isActive).toBe(false);
    slept = -60_000;
    expect(activation.isActive).toBe(true);
    await activation.release();
  });

  it.each([
    ['lease_gone', (store: MemoryStore): void => store.expireLease('lease-1'), 2_000],
    ['not_renewed', (store: MemoryStore): void => void (store.isUnavailable = true), 6_000],
  ] as const)('tells its owner once when it is lost: %s', async (reason, spoil, afterMs) => {
    jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
    try {
      const store = createMemoryStore();
      const reasons: ActivationLoss[] = [];
      const activation = (await take(store, 'r1', reasons)) as Activation;
      await jest.advanceTimersByTimeAsync(4_000);
      expect(activation.isActive).toBe(true);
      spoil(store);
      await jest.advanceTimersByTimeAsync(afterMs);
      expect(reasons).toEqual([reason]);
      expect(activation.isActive).toBe(false);
    } finally {
      jest.useRealTimers();
    }
  });
});
