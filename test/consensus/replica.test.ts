// What one replica can do beside leading and following: keep snapshots, join, leave, be read from, be backed up, wait for its key,
// and go on alone when an operator says so. Real processes and disks.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import {
  backupContract,
  changeMembersContract,
  recoverContract,
  replicaRangeContract,
  rotateKeyContract,
  unlockContract,
  type ClusterStatus,
} from '@skein/contracts';
import { Store } from '@skein/store';
import type { StoreClient } from '@skein/store-client';
import { ConsensusCluster, replicaIds } from './consensus-cluster';

let cluster: ConsensusCluster;
let store: StoreClient;

beforeAll(async () => {
  cluster = await ConsensusCluster.start({
    env: { SKEIN_SNAPSHOT_ENTRIES: '100', SKEIN_TRAILING_ENTRIES: '10' },
  });
  store = await cluster.client();
}, 40_000);
afterAll(() => cluster?.stop(), 20_000);

async function eventually(holds: () => boolean | Promise<boolean>, limitMs = 10_000) {
  const limit = performance.now() + limitMs;
  for (;;) {
    try {
      if (await holds()) return;
    } catch (thrown) {
      if (performance.now() > limit) throw thrown;
    }
    if (performance.now() > limit) throw new Error('it did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function write(count: number, prefix: string): Promise<void> {
  for (let n = 0; n < count; n += 1) await store.put({ key: `${prefix}/${n}`, value: String(n) });
}

async function follower(): Promise<string> {
  const { replicaId } = await cluster.leader();
  return replicaIds.find((id) => id !== replicaId) ?? '';
}

async function agree(ids: readonly string[]): Promise<void> {
  await eventually(async () => {
    const all = await Promise.all(ids.map((id) => cluster.status(id)));
    return (
      new Set(all.map(({ appliedIndex, stateHash }) => `${appliedIndex} ${stateHash}`)).size === 1
    );
  });
}

describe('snapshots', () => {
  it('are kept, shorten the log, and bring a restarted replica back', async () => {
    await write(350, 'snap');
    let status: ClusterStatus | undefined;
    const id = await follower();
    await eventually(async () => {
      status = await cluster.status(id);
      return (status.snapshotIndex ?? 0) >= 100 && (status.firstIndex ?? 0) > 50;
    });
    await cluster.kill(id);
    await cluster.startReplica(id);
    await agree(replicaIds);
    expect(await store.get('snap/0')).toMatchObject({ value: '0' });
  }, 30_000);

  it('bring back a replica that missed more than the log still holds', async () => {
    const id = await follower();
    await cluster.kill(id);
    await write(350, 'missed');
    await eventually(async () => ((await cluster.leader()).firstIndex ?? 0) > 350);
    await cluster.startReplica(id);
    await agree(replicaIds);
    expect(cluster.process(id).output).toContain('has taken the place of log and state');
  }, 30_000);
});

describe('reads', () => {
  it('are served by any replica at the level that was asked for', async () => {
    const { replicaId } = await cluster.leader();
    for (const id of replicaIds) {
      const { revision } = await store.put({ key: 'read/a', value: id });
      for (const consistency of ['linearizable', 'lease', 'bounded'] as const) {
        const reply = await cluster.messenger
          .request(
            replicaRangeContract,
            { key: 'read/a', consistency, maxStalenessMs: 0 },
            { instance: id },
          )
          .catch((error: { code: string }) => error.code);
        if (consistency === 'bounded') continue;
        expect(reply).toMatchObject({ revision, kvs: [{ value: id }] });
      }
      const bounded = { key: 'read/a', consistency: 'bounded', maxStalenessMs: 2_000 } as const;
      const reply = await cluster.messenger.request(replicaRangeContract, bounded, {
        instance: id,
      });
      expect(reply.kvs).toHaveLength(1);
    }
    expect((await cluster.leader()).replicaId).toBe(replicaId);
  }, 20_000);
});

describe('backup', () => {
  it('holds the state, checks itself, and comes from any replica', async () => {
    const instance = await follower();
    const hash = createHash('sha256');
    const loader = Store.loader();
    let reply = await cluster.messenger.request(backupContract, { offset: 0 }, { instance });
    for (;;) {
      const data = Buffer.from(reply.data, 'base64');
      hash.update(data);
      loader.push(new Uint8Array(data));
      if (reply.done) break;
      const { backup, offset } = reply;
      const next = { backup, offset: offset + data.length };
      reply = await cluster.messenger.request(backupContract, next, { instance });
    }
    expect(reply.sha256).toBe(hash.digest('hex'));
    const restored = loader.finish();
    expect(restored.revision).toBe(reply.header.revision);
    expect(restored.range({ key: 'snap/0' })).toMatchObject({ reply: { kvs: [{ value: '0' }] } });
  }, 20_000);

  it('is not refused because others were read to their ends', async () => {
    const instance = await follower();
    const begin = () => cluster.messenger.request(backupContract, { offset: 0 }, { instance });
    for (let count = 0; count < 6; count += 1) {
      let reply = await begin();
      while (!reply.done) {
        const offset = reply.offset + Buffer.from(reply.data, 'base64').length;
        const next = { backup: reply.backup, offset };
        reply = await cluster.messenger.request(backupContract, next, { instance });
      }
    }
  }, 20_000);
});

describe('members', () => {
  const change = (id: string, action: 'add' | 'promote' | 'demote' | 'remove', learner?: boolean) =>
    cluster.messenger.request(
      changeMembersContract,
      { id, action, ...(learner === undefined ? {} : { learner }) },
      { timeoutMs: 15_000 },
    );

  it('join with an empty directory, vote once they have caught up, and leave', async () => {
    await cluster.startReplica('r4', { SKEIN_VOTERS: '', SKEIN_JOIN: '1' });
    await eventually(async () => (await cluster.status('r4')).lastIndex === 0);
    expect(await cluster.status('r4')).toMatchObject({ lastIndex: 0, leaderId: null });
    const added = await change('r4', 'add');
    expect(added.configuration).toMatchObject({ voters: [...replicaIds], learners: ['r4'] });
    await agree([...replicaIds, 'r4']);
    const promoted = await change('r4', 'promote');
    expect(promoted.configuration).toMatchObject({ voters: [...replicaIds, 'r4'], learners: [] });
    await cluster.transfer('r4');
    await eventually(async () => (await cluster.leader()).replicaId === 'r4');
    await store.put({ key: 'from', value: 'r4' });
    await change('r4', 'remove');
    await eventually(async () => (await cluster.leader()).replicaId !== 'r4');
    await eventually(() => cluster.process('r4').output.includes('no member any more'));
    const { term } = await cluster.leader();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await cluster.leader()).term).toBe(term);
    await cluster.kill('r4');
  }, 40_000);
});

describe('a locked replica', () => {
  it('serves nothing but its status until it has its key', async () => {
    const env = { SKEIN_VOTERS: '', SKEIN_JOIN: '1', SKEIN_ENCRYPTION: 'locked' };
    const key = randomBytes(32).toString('base64');
    const instance = 'r5';
    await cluster.startReplica(instance, env);
    await eventually(async () => (await cluster.status(instance)).isLocked === true);
    const read = { key: 'a', consistency: 'stale' } as const;
    await expect(
      cluster.messenger.request(replicaRangeContract, read, { instance }),
    ).rejects.toMatchObject({ code: 'locked' });
    await cluster.messenger.request(unlockContract, { key }, { instance });
    expect(await cluster.status(instance)).toMatchObject({ isLocked: false, isEncrypted: true });
    const next = randomBytes(32).toString('base64');
    await cluster.messenger.request(rotateKeyContract, { kind: 'data' }, { instance });
    const turn = { kind: 'unlock', newKey: next } as const;
    await cluster.messenger.request(rotateKeyContract, turn, { instance });
    await cluster.kill(instance);
    await cluster.startReplica(instance, env);
    await eventually(async () => (await cluster.status(instance)).isLocked === true);
    await expect(
      cluster.messenger.request(unlockContract, { key }, { instance }),
    ).rejects.toMatchObject({ code: 'wrong_key' });
    await cluster.messenger.request(unlockContract, { key: next }, { instance });
    await cluster.kill(instance);
  }, 30_000);
});

describe('a lost quorum', () => {
  it('ends when an operator makes a survivor the only voter, and the others are not listened to', async () => {
    const { replicaId, leaderId } = await cluster.leader();
    expect(leaderId).toBe(replicaId);
    const survivor = await follower();
    const { revision } = await store.put({ key: 'before', value: '1' });
    await agree(replicaIds);
    const lost = replicaIds.filter((id) => id !== survivor);
    await expect(
      cluster.messenger.request(
        recoverContract,
        { action: 'confirm', token: 'x' },
        { instance: survivor },
      ),
    ).rejects.toMatchObject({ code: 'quorum_present' });
    for (const id of lost) await cluster.kill(id);
    const preview = { action: 'preview' } as const;
    let token = '';
    await eventually(async () => {
      const { leaderId: heard } = await cluster.status(survivor);
      return heard === null;
    });
    const seen = await cluster.messenger.request(recoverContract, preview, { instance: survivor });
    token = seen.token ?? '';
    expect(seen).toMatchObject({ confirmed: false, revision, heard: [survivor] });
    const confirm = { action: 'confirm', token } as const;
    const done = await cluster.messenger.request(recoverContract, confirm, { instance: survivor });
    expect(done).toMatchObject({ confirmed: true, configuration: { voters: [survivor] } });
    expect(await store.get('before')).toMatchObject({ value: '1' });
    await store.put({ key: 'after', value: '1' });
    for (const id of lost) await cluster.startReplica(id);
    await eventually(() =>
      lost.every((id) => cluster.process(id).output.includes('recovered without it')),
    );
    expect((await cluster.leader()).replicaId).toBe(survivor);
    expect(await store.get('after')).toMatchObject({ value: '1' });
  }, 40_000);
});
