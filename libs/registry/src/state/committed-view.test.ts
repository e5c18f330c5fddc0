// The view over a store in memory: names, resets, waiting.

import { describe, expect, it } from '@jest/globals';
import { keys, type RevisionEvents } from '@skein/contracts';
import { silentLogger } from '@skein/messaging';
import { createMemoryStore } from '@skein/store-client';
import { systemTime } from '@skein/time';
import { CommittedView } from './committed-view';
import { StoreFollower } from './store-follower';
import { endpointRecord, hostRecord, networkRecord, settled } from '../testing/records';

function follow(store: ReturnType<typeof createMemoryStore>, view: CommittedView) {
  const gaps: number[] = [];
  const seen: RevisionEvents[] = [];
  const follower = new StoreFollower(
    { store, time: systemTime, logger: silentLogger },
    {
      onState: (revision, kvs) => view.reset(revision, kvs),
      onEvents: (revisions) => {
        seen.push(...revisions);
        view.advance(revisions);
      },
      onProgress: (revision) => view.progress(revision),
      resumeAt: () => undefined,
      onGap: (revision) => gaps.push(revision),
    },
  );
  return { follower, gaps, seen };
}

async function populated() {
  const store = createMemoryStore();
  const view = new CommittedView({ time: systemTime, logger: silentLogger });
  const followed = follow(store, view);
  await store.put({ key: keys.network('n1'), value: JSON.stringify(networkRecord('n1', 'web')) });
  await followed.follower.start();
  return { store, view, ...followed };
}

describe('committed view', () => {
  it('finds networks, hosts and endpoints by id, name and alias', async () => {
    const { store, view } = await populated();
    const record = endpointRecord('e1', 'n1', 'h1', { name: 'front', aliases: ['www'] });
    await store.put({ key: keys.host('h1'), value: JSON.stringify(hostRecord('h1')) });
    const { revision } = await store.put({
      key: keys.endpoint('n1', 'e1'),
      value: JSON.stringify(record),
    });
    expect(await view.reached(revision, 1_000)).toBe(true);
    expect(view.network('web')?.id).toBe('n1');
    expect(view.host('host-h1')?.id).toBe('h1');
    for (const reference of ['e1', 'front', 'www']) {
      expect(view.endpoint('n1', reference)?.revision).toBe(revision);
    }
    expect(view.endpoint('n1', 'back')).toBeUndefined();
  });

  it('forgets the names of what is gone and keeps those of a successor', async () => {
    const { store, view } = await populated();
    const first = JSON.stringify(endpointRecord('e1', 'n1', 'h1', { name: 'front' }));
    const second = JSON.stringify(endpointRecord('e2', 'n1', 'h1', { name: 'front' }));
    await store.put({ key: keys.endpoint('n1', 'e1'), value: first });
    await store.txn({
      success: [
        { type: 'put', key: keys.endpoint('n1', 'e2'), value: second },
        { type: 'delete', key: keys.endpoint('n1', 'e1') },
      ],
    });
    await view.reached(store.revision, 1_000);
    expect(view.endpointNamed('n1', 'front')?.id).toBe('e2');
    await store.delete({ key: keys.endpoint('n1', 'e2') });
    await view.reached(store.revision, 1_000);
    expect(view.endpointNamed('n1', 'front')).toBeUndefined();
  });

  it('says so when a revision does not come in time', async () => {
    const { view } = await populated();
    expect(await view.reached(99, 5)).toBe(false);
  });

  it('reads the whole state anew after a compaction, dropping what went in the meantime', async () => {
    const store = createMemoryStore();
    const view = new CommittedView({ time: systemTime, logger: silentLogger });
    const { follower, gaps } = follow(store, view);
    await store.put({ key: keys.network('n1'), value: JSON.stringify(networkRecord('n1', 'web')) });
    await follower.start();
    await settled();
    follower.stop();
    await store.delete({ key: keys.network('n1') });
    await store.put({ key: keys.network('n2'), value: JSON.stringify(networkRecord('n2', 'db')) });
    store.compact(store.revision);
    const again = follow(store, view);
    await again.follower.start();
    expect(view.network('web')).toBeUndefined();
    expect(view.network('db')?.id).toBe('n2');
    expect(gaps).toEqual([]);
  });

  it('passes over a malformed record', async () => {
    const { store, view } = await populated();
    await store.put({ key: keys.host('h1'), value: '{"id":' });
    await view.reached(store.revision, 1_000);
    expect(view.host('h1')).toBeUndefined();
    expect(view.revision).toBe(store.revision);
  });
});
