// Compaction, quota, alarms, settings, and leases beside their granting: what an operator or the leader asks of the store.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { Asker, copyOf, txn } from './fixture';
import { LeaseDeadlines } from './lease-deadlines';

let asker: Asker;

beforeEach(() => {
  asker = new Asker();
});

describe('compaction', () => {
  it.each([
    [0, 'invalid_request revision'],
    [-1, 'invalid_request revision'],
    [1.5, 'invalid_request revision'],
    [6, 'revision_future revision'],
    [2, 'revision_compacted revision'],
    [3, 'revision_compacted revision'],
    [5, 'done'],
  ])('to %d, after one to 3 of 5, is: %s', (revision, expected) => {
    for (let value = 0; value < 5; value += 1) asker.put('a', String(value));
    asker.done({ type: 'compact', revision: 3 });
    expect(asker.refusal({ type: 'compact', revision })).toBe(expected);
  });

  it('of a store without a revision is refused', () => {
    expect(asker.refusal({ type: 'compact', revision: 1 })).toBe('revision_future revision');
  });

  it('is repeated to a client that asks again', () => {
    asker.put('a');
    const request = { type: 'compact', revision: 1, once: { client: 'c', sequence: 1 } } as const;
    const first = asker.done(request);
    expect(asker.done(request)).toEqual(first);
  });

  it('finds the revision that an age stands for', () => {
    for (const at of [100, 200, 200, 300]) {
      asker.logIndex += 1;
      asker.store.apply(asker.logIndex, { at, requests: [{ type: 'put', key: 'a', value: '' }] });
    }
    const revisions = [99, 100, 199, 200, 299, 300, 999].map((at) => asker.store.revisionAt(at));
    expect(revisions).toEqual([0, 1, 1, 3, 3, 4, 4]);
    asker.done({ type: 'compact', revision: 2 });
    expect([99, 200, 300].map((at) => asker.store.revisionAt(at))).toEqual([2, 3, 4]);
  });

  it('frees in many small steps what one large deletion has left', () => {
    for (let key = 0; key < 3_000; key += 1) asker.put(`k${key}`);
    asker.done({ type: 'delete', key: 'k', prefix: true });
    asker.done({ type: 'compact', revision: 3_001 });
    expect(asker.store.status).toMatchObject({ keys: 0, bytes: 0, historyLength: 0 });
    expect(asker.store.sweep(100)).toBe(true);
    expect(asker.store.sweep(10_000)).toBe(false);
    expect(asker.put('k1')).toBe(3_002);
    expect(asker.read()).toEqual(['k1=k1']);
  });
});

describe('quota', () => {
  const put = (key: string) => ({ type: 'put', key, value: 'v'.repeat(100) }) as const;

  beforeEach(() => {
    asker.done({ type: 'setSettings', quotaBytes: 1_000 });
    for (let key = 0; key < 6; key += 1) asker.done(put(`k${key}`));
    expect(asker.store.status.bytes).toBe(6 * 166);
  });

  it('raises the alarm at the first write beyond it, and refuses what would grow', () => {
    const range = { type: 'range', key: 'k0' } as const;
    const guarded = txn({
      compare: [{ key: 'k0', target: 'version', operator: '=', value: 0 }],
      success: [put('x')],
      failure: [range],
    });
    expect(asker.store.status.alarms).toEqual([]);
    expect(asker.refusal(put('x'))).toBe('no_space');
    expect(asker.store.status.alarms).toMatchObject([{ alarm: 'nospace', at: 1_008 }]);
    expect(asker.refusal(txn({ success: [range, put('x')] }))).toBe('no_space');
    expect(asker.refusal(txn({ success: [txn({ success: [put('x')] })] }))).toBe('no_space');
    expect(asker.refusal({ type: 'grantLease', ttlMs: 1_000 })).toBe('no_space');
    expect(asker.refusal(guarded)).toBe('done');
    expect(asker.store.status.keys).toBe(6);
  });

  it('leaves ways to make room, after which an operator lowers the alarm', () => {
    expect(asker.refusal(put('x'))).toBe('no_space');
    asker.done({ type: 'delete', key: 'k0' });
    asker.done(txn({ success: [{ type: 'delete', key: 'k1' }] }));
    asker.done({ type: 'compact', revision: asker.store.status.revision });
    expect(asker.store.status.bytes).toBe(4 * 166);
    expect(asker.refusal(put('x'))).toBe('no_space');
    expect(asker.done({ type: 'clearAlarm', alarm: 'nospace' })).toMatchObject({ changed: true });
    expect(asker.refusal(put('x'))).toBe('done');
    expect(asker.done({ type: 'clearAlarm', alarm: 'nospace' })).toMatchObject({ changed: false });
  });

  it('comes back by itself if there still is no room', () => {
    expect(asker.refusal(put('x'))).toBe('no_space');
    asker.done({ type: 'clearAlarm', alarm: 'nospace' });
    expect(asker.refusal(put('x'))).toBe('no_space');
    expect(asker.store.status.alarms).toHaveLength(1);
  });

  it('lets leases end', () => {
    asker.done({ type: 'setSettings', quotaBytes: 0 });
    asker.done({ type: 'grantLease', ttlMs: 1_000, lease: 'l' });
    asker.put('leased', '', { lease: 'l' });
    asker.done({ type: 'setAlarm', alarm: 'nospace' });
    expect(asker.done({ type: 'revokeLease', lease: 'l' })).toMatchObject({ deleted: 1 });
  });
});

describe('alarm of damage', () => {
  it('refuses every write and no read, until it is lowered for all replicas', () => {
    asker.done({ type: 'grantLease', ttlMs: 1_000, lease: 'l' });
    asker.put('a');
    for (const replica of ['r1', 'r2', 'r2']) {
      asker.done({ type: 'setAlarm', alarm: 'corrupt', replica });
    }
    expect(asker.store.status.alarms).toHaveLength(2);
    for (const request of [
      { type: 'put', key: 'a', value: '' },
      { type: 'delete', key: 'a' },
      txn({ success: [{ type: 'delete', key: 'a' }] }),
      { type: 'grantLease', ttlMs: 1_000 },
      { type: 'revokeLease', lease: 'l' },
      { type: 'expireLease', lease: 'l' },
    ] as const) {
      expect(asker.refusal(request)).toBe('store_corrupt');
    }
    expect(asker.refusal(txn({ success: [{ type: 'range', key: 'a' }] }))).toBe('done');
    expect(asker.read()).toEqual(['a=a']);
    asker.done({ type: 'clearAlarm', alarm: 'corrupt', replica: 'r1' });
    expect(asker.refusal({ type: 'put', key: 'a', value: '' })).toBe('store_corrupt');
    asker.done({ type: 'clearAlarm', alarm: 'corrupt' });
    expect(asker.refusal({ type: 'put', key: 'a', value: '' })).toBe('done');
  });
});

describe('settings', () => {
  it('change one by one and are refused out of range', () => {
    asker.done({ type: 'setSettings', quotaBytes: 7, historyMs: 5 });
    expect(asker.done({ type: 'setSettings', historyRevisions: 9 })).toMatchObject({
      quotaBytes: 7,
      historyRevisions: 9,
      historyMs: 5,
    });
    expect(asker.refusal({ type: 'setSettings', quotaBytes: -1 })).toBe(
      'invalid_request quotaBytes',
    );
    expect(asker.store.status).toMatchObject({ quotaBytes: 7, settings: { historyRevisions: 9 } });
  });
});

describe('lease', () => {
  it('is told with its keys', () => {
    asker.done({ type: 'grantLease', ttlMs: 1_000, lease: 'l' });
    for (const key of ['b', 'a', 'c']) asker.put(key, '', { lease: 'l' });
    asker.done({ type: 'delete', key: 'c' });
    expect(asker.store.leaseTimeToLive('l')).toMatchObject({ keys: 2, attached: ['a', 'b'] });
    expect(asker.store.leaseTimeToLive('none')).toBeUndefined();
  });

  it('of a later grant outlives the verdict on an earlier one of its name (bug 36)', () => {
    asker.done({ type: 'grantLease', ttlMs: 1_000, lease: 'l' });
    const judged = asker.store.lease('l')?.grant ?? 0;
    asker.done({ type: 'revokeLease', lease: 'l' });
    asker.done({ type: 'grantLease', ttlMs: 1_000, lease: 'l' });
    asker.put('a', '', { lease: 'l' });
    expect(asker.refusal({ type: 'expireLease', lease: 'l', grant: judged })).toBe(
      'lease_not_found grant',
    );
    expect(asker.read()).toEqual(['a=']);
    const grant = asker.store.lease('l')?.grant ?? 0;
    expect(copyOf(asker.store).lease('l')?.grant).toBe(grant);
    expect(asker.done({ type: 'expireLease', lease: 'l', grant })).toMatchObject({ deleted: 1 });
  });

  it('is given no second time by a leader that is about to end it (bug 36)', () => {
    const deadlines = new LeaseDeadlines();
    deadlines.granted('l', 1_000, 0);
    expect(deadlines.takeExpired(1_000)).toEqual(['l']);
    expect(deadlines.renew('l', 1_001)).toBeUndefined();
  });

  it('keeps what was noted of its time left, until the note is taken back', () => {
    asker.done({ type: 'grantLease', ttlMs: 9_000, lease: 'l' });
    const note = (remainingMs: number) =>
      asker.done({
        type: 'checkpointLease',
        leases: [
          { lease: 'l', remainingMs },
          { lease: 'gone', remainingMs },
        ],
      });
    note(4_000);
    expect(copyOf(asker.store).lease('l')).toMatchObject({ ttlMs: 9_000, remainingMs: 4_000 });
    note(9_000);
    expect(asker.store.lease('l')).not.toHaveProperty('remainingMs');
  });

  it('runs on under a new leader from where the note left it, and a renewal waits for its withdrawal', () => {
    const deadlines = new LeaseDeadlines();
    deadlines.restart([{ lease: 'l', ttlMs: 9_000, remainingMs: 4_000 }], 100);
    expect(deadlines.remainingMs('l', 100)).toBe(4_000);
    expect(deadlines.isNoted('l')).toBe(true);
    expect(deadlines.dueCheckpoints(1_099, 1_000, 10)).toEqual([]);
    const due = deadlines.dueCheckpoints(1_100, 1_000, 10);
    expect(due).toEqual([{ lease: 'l', remainingMs: 3_000 }]);
    deadlines.checkpointed(due);
    expect(deadlines.dueCheckpoints(1_100, 1_000, 10)).toEqual([]);
    deadlines.renew('l', 1_200);
    deadlines.checkpointed([{ lease: 'l', remainingMs: 9_000 }]);
    expect(deadlines.isNoted('l')).toBe(false);
    expect(deadlines.takeExpired(10_199)).toEqual([]);
    expect(deadlines.takeExpired(10_200)).toEqual(['l']);
  });
});
