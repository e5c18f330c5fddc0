// The store as its clients meet it: three replicas, real disks, kill -9. What was acknowledged stays, what was sent twice is done
// once, and watches go on across leaders.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { join } from 'node:path';
import { leaderChangedEvent, putContract, transferLeadershipContract } from '@skein/contracts';
import { Activation, type RevisionEvents, type StoreClient } from '@skein/store-client';
import { ConsensusCluster, replicaIds } from './consensus-cluster';

let cluster: ConsensusCluster;
let store: StoreClient;

beforeAll(async () => {
  cluster = await ConsensusCluster.start();
  store = await cluster.client();
}, 30_000);
afterAll(() => cluster?.stop(), 10_000);

/** Kills the leader and starts it again; resolves when another one is in office. */
async function replaceLeader(): Promise<string> {
  const { replicaId } = await cluster.leader();
  await cluster.kill(replicaId);
  const successor = await cluster.leader();
  expect(successor.replicaId).not.toBe(replicaId);
  await cluster.startReplica(replicaId);
  return successor.replicaId;
}

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + 8_000;
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error('it did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('store', () => {
  it('puts, reads, compares and deletes with etcd’s revisions', async () => {
    const { revision } = await store.put({ key: 'kv/a', value: '1' });
    const again = await store.put({ key: 'kv/a', value: '2', previous: true });
    expect(again).toMatchObject({ revision: revision + 1, previous: { value: '1', version: 1 } });
    const swapped = await store.txn({
      compare: [{ key: 'kv/a', target: 'modRevision', operator: '=', value: revision + 1 }],
      success: [
        { type: 'put', key: 'kv/a', value: '3' },
        { type: 'put', key: 'kv/b', value: '1' },
      ],
      failure: [{ type: 'range', key: 'kv/a' }],
    });
    expect(swapped).toMatchObject({ succeeded: true, revision: revision + 2 });
    const then = await store.range({ key: 'kv/', prefix: true, revision: revision + 1 });
    expect(then.kvs.map(({ key, value }) => [key, value])).toEqual([['kv/a', '2']]);
    expect(await store.delete({ key: 'kv/', prefix: true })).toMatchObject({ deleted: 2 });
    expect(await store.get('kv/a')).toBeUndefined();
  });

  it('names the field of a request that it refuses', async () => {
    await expect(store.put({ key: '', value: '' })).rejects.toMatchObject({
      code: 'key_invalid',
      field: 'key',
    });
    await expect(store.put({ key: 'a', value: '', lease: 'none' })).rejects.toMatchObject({
      code: 'lease_not_found',
    });
  });

  it('does once what is sent twice', async () => {
    const request = { key: 'once/a', value: 'x', once: { client: 'twice', sequence: 1 } };
    const first = await cluster.messenger.request(putContract, request);
    const second = await cluster.messenger.request(putContract, request);
    expect(second).toEqual(first);
    expect(await store.get('once/a')).toMatchObject({ version: 1 });
  });

  it('takes keys away with their lease when nobody renews it', async () => {
    const { lease } = await store.grantLease({ ttlMs: 600 });
    await store.put({ key: 'lease/a', value: '1', lease });
    for (let renewals = 0; renewals < 4; renewals += 1) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      await store.keepAlive(lease);
    }
    expect(await store.get('lease/a')).toMatchObject({ lease });
    await eventually(async () => (await store.get('lease/a')) === undefined);
    await expect(store.keepAlive(lease)).rejects.toMatchObject({ code: 'lease_not_found' });
  });
});

describe('leadership', () => {
  it('is handed over on request, and announced', async () => {
    const { replicaId, term } = await cluster.leader();
    const to = replicaIds.find((id) => id !== replicaId) ?? '';
    const heard: (string | null)[] = [];
    const events = cluster.messenger.subscribeEvent(leaderChangedEvent, ({ leaderId }) => {
      heard.push(leaderId);
    });
    const reply = await cluster.messenger.request(transferLeadershipContract, { to });
    expect(reply).toMatchObject({ from: replicaId, to });
    expect(reply.term).toBeGreaterThan(term);
    await eventually(() => heard.includes(to));
    events.unsubscribe();
    expect(await cluster.leader()).toMatchObject({ replicaId: to });
  });

  it('is told alike by every replica', async () => {
    const leader = await cluster.leader();
    expect(leader.members.map(({ id }) => id)).toEqual([...replicaIds]);
    await eventually(async () => {
      const all = await Promise.all(replicaIds.map((id) => cluster.status(id)));
      return all.every(({ leaderId }) => leaderId === leader.replicaId);
    });
  });
});

describe('watch', () => {
  it('delivers every revision once and in order while leaders die', async () => {
    const seen: RevisionEvents[] = [];
    const watch = store.watch({
      prefix: 'watched/',
      previous: true,
      onEvents: (revisions) => seen.push(...revisions),
    });
    await watch.opened;
    let isWriting = true;
    const written: number[] = [];
    const writing = (async () => {
      for (let n = 0; isWriting; n += 1) {
        const key = `watched/${n % 5}`;
        written.push((await store.put({ key, value: String(n) })).revision);
        await store.put({ key: `unwatched/${n % 5}`, value: String(n) });
      }
    })();
    await replaceLeader();
    await replaceLeader();
    isWriting = false;
    await writing;
    await eventually(() => seen.length >= written.length);
    watch.close();
    expect(seen.map(({ revision }) => revision)).toEqual(written);
    const values = seen.flatMap(({ events }) => events.map(({ kv }) => kv.value));
    expect(values).toEqual(written.map((_, n) => String(n)));
    const replay: number[] = [];
    const again = store.watch({
      prefix: 'watched/',
      fromRevision: written[2] ?? 0,
      onEvents: (revisions) => replay.push(...revisions.map(({ revision }) => revision)),
    });
    await eventually(() => replay.length >= written.length - 2);
    again.close();
    expect(replay).toEqual(written.slice(2));
  }, 30_000);
});

describe('a revision that fits into no message', () => {
  it('reaches its watch, and the leader goes on', async () => {
    const seen: string[] = [];
    const watch = store.watch({
      prefix: 'large/',
      previous: true,
      onEvents: (revisions) => {
        for (const { events } of revisions) {
          for (const { type, kv, previous } of events) {
            seen.push(`${type} ${kv.key} ${previous?.value.length ?? 0}`);
          }
        }
      },
    });
    await watch.opened;
    const size = 400 * 1024;
    for (let n = 0; n < 3; n += 1) await store.put({ key: `large/${n}`, value: 'x'.repeat(size) });
    const { replicaId, term } = await cluster.leader();
    expect(await store.delete({ key: 'large/', prefix: true })).toMatchObject({ deleted: 3 });
    await eventually(() => seen.length >= 6);
    watch.close();
    expect(seen.slice(3)).toEqual([0, 1, 2].map((n) => `delete large/${n} ${size}`));
    expect(await cluster.leader()).toMatchObject({ replicaId, term });
    expect(await store.get('large/0')).toBeUndefined();
  }, 20_000);
});

describe('activation', () => {
  it('survives a change of leaders, and shuts a predecessor out', async () => {
    const lost: string[] = [];
    const options = {
      store,
      kind: 'test',
      id: 'a1',
      ttlMs: 3_000,
      onLost: (why: string) => lost.push(why),
    };
    const first = await Activation.take({ ...options, replica: 'one' });
    if (!(first instanceof Activation)) throw new Error('it was taken');
    await replaceLeader();
    expect(await Activation.take({ ...options, replica: 'two' })).toEqual({ heldBy: 'one' });
    expect(lost).toEqual([]);
    await first.release();
    const second = await Activation.take({ ...options, replica: 'two' });
    if (!(second instanceof Activation)) throw new Error('it was taken');
    const late = await store.txn({
      compare: [first.fence()],
      success: [{ type: 'put', key: 'late', value: '1' }],
    });
    expect(late.succeeded).toBe(false);
    await second.release();
  }, 20_000);
});

describe('durability', () => {
  it('holds every acknowledged write after all replicas were killed at once', async () => {
    const acknowledged = new Map<string, string>();
    let isWriting = true;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      const client = await cluster.client();
      for (let n = 0; isWriting; n += 1) {
        const key = `durable/${writer}/${n}`;
        // What is not acknowledged may or may not be there: it says nothing.
        await client.put({ key, value: key }, { timeoutMs: 400 }).then(
          () => acknowledged.set(key, key),
          () => undefined,
        );
      }
    });
    await eventually(() => acknowledged.size > 200);
    await Promise.all(replicaIds.map((id) => cluster.kill(id)));
    isWriting = false;
    await Promise.all(writers);
    await Promise.all(replicaIds.map((id) => cluster.startReplica(id)));
    const { kvs } = await store.range({ key: 'durable/', prefix: true });
    const found = new Map(kvs.map(({ key, value }) => [key, value]));
    const missing = [...acknowledged.keys()].filter((key) => found.get(key) !== key);
    expect(missing).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(200);
  }, 30_000);

  it('sets a damaged log aside, says what was lost, fetches it, and the others go on', async () => {
    const { replicaId } = await cluster.leader();
    const victim = replicaIds.find((id) => id !== replicaId) ?? '';
    await cluster.kill(victim);
    const database = new Database(join(cluster.dataDir(victim), 'raft-log.sqlite'));
    database.exec("UPDATE entry SET data = x'00' WHERE log_index = 2");
    database.close();
    expect(await store.put({ key: 'still', value: 'here' })).toMatchObject({});
    await cluster.startReplica(victim);
    await eventually(async () => {
      const { isRecovering, repair, appliedIndex } = await cluster.status(victim);
      const { commitIndex } = await cluster.leader();
      return isRecovering === false && repair?.lostFrom === 2 && appliedIndex === commitIndex;
    });
  }, 30_000);

  it('refuses to start over the log of another cluster', async () => {
    const { replicaId } = await cluster.leader();
    const victim = replicaIds.find((id) => id !== replicaId) ?? '';
    await cluster.kill(victim);
    const foreign = await cluster.failingReplica(victim, { SKEIN_CLUSTER_ID: 'other' });
    expect(foreign).toContain('foreign_directory');
  }, 30_000);
});
