// The whole data directory of one replica is gone, as with a lost volume, and it is started again under its name: it must not take
// itself for the member of a new cluster. And a new cluster must begin without delay, also with replicas that come late.

import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { replicaRepairedEvent } from '@skein/contracts';
import type { StoreClient } from '@skein/store-client';
import { ConsensusCluster, replicaIds } from './consensus-cluster';
import { eventually, wait } from './waiting';

/** Many times what an election takes, and longer than an empty replica waits for answers. */
const noLeaderMs = 3_500;
const said = 'the directory is empty but the cluster has begun';

let cluster: ConsensusCluster;
let store: StoreClient;
let leader: string;
let victim: string;
let lagging: string;
let written = 0;
const repaired: (string | undefined)[] = [];

beforeAll(async () => {
  cluster = await ConsensusCluster.start();
  store = await cluster.client();
  cluster.messenger.subscribeEvent(replicaRepairedEvent, ({ reason }) => {
    repaired.push(reason);
  });
}, 60_000);
beforeEach(async () => {
  await write(50);
  leader = (await cluster.leader()).replicaId;
  [victim = '', lagging = ''] = replicaIds.filter((id) => id !== leader);
});
afterEach(async () => {
  replicaIds.forEach((id) => cluster.links.set(id, 'whole'));
  for (const id of replicaIds) if (!cluster.isRunning(id)) await cluster.startReplica(id);
  for (const id of replicaIds) await isWhole(id);
}, 30_000);
afterAll(() => cluster?.stop(), 10_000);

async function write(count: number): Promise<void> {
  for (const end = written + count; written < end; written += 1) {
    await store.put({ key: `written/${written}`, value: String(written) });
  }
}

async function nothingIsLost(): Promise<void> {
  const { count } = await store.range({ key: 'written/', prefix: true, countOnly: true });
  expect(count).toBe(written);
}

async function isWhole(id: string): Promise<void> {
  const holds = async () => (await cluster.status(id)).isRecovering === false;
  await eventually(holds, 10_000, 'the end of recovery');
  await eventually(async () => cluster.areEqual([id, (await cluster.leader()).replicaId]));
}

async function nobodyLeads(ids: readonly string[], ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    for (const id of ids) expect((await cluster.status(id)).role).not.toBe('leader');
    await wait(50);
  }
}

const removeDirectory = (id: string): void => rmSync(cluster.dataDir(id), { recursive: true });

describe('a replica whose directory is gone', () => {
  it('comes back as one that recovers, says so, and is whole again', async () => {
    await cluster.kill(victim);
    removeDirectory(victim);
    await write(5);
    const before = repaired.length;
    await cluster.startReplica(victim);
    await eventually(async () => (await cluster.status(victim)).repair !== undefined);
    expect((await cluster.status(victim)).repair?.reason).toContain(said);
    await isWhole(victim);
    const { output } = cluster.process(victim);
    expect(output).toContain(said);
    expect(output).toContain('the log is whole again');
    await eventually(() => repaired.slice(before).some((reason) => reason?.includes(said)));
    await nothingIsLost();
  }, 60_000);

  it('helps nobody into office who lacks what it had confirmed', async () => {
    cluster.links.set(lagging, 'cut');
    // Only the leader and the victim hold these.
    await write(20);
    await cluster.kill(victim);
    await cluster.kill(leader);
    removeDirectory(victim);
    cluster.links.set(lagging, 'whole', true);
    await cluster.startReplica(victim);
    await nobodyLeads([victim, lagging], noLeaderMs);
    expect(await cluster.status(victim)).toMatchObject({ isRecovering: true });
    await cluster.startReplica(leader);
    await isWhole(victim);
    await nothingIsLost();
  }, 60_000);

  it('does so either when the leader dies right after it has come back, or it comes back twice', async () => {
    cluster.links.set(lagging, 'cut');
    await write(20);
    await cluster.kill(victim);
    removeDirectory(victim);
    // Alone the leader can't make it whole: the third voter's word is missing.
    await cluster.startReplica(victim);
    await eventually(async () => (await cluster.status(victim)).isRecovering === true);
    await cluster.kill(leader);
    await cluster.kill(victim);
    cluster.links.set(lagging, 'whole', true);
    await cluster.startReplica(victim);
    expect(await cluster.status(victim)).toMatchObject({ isRecovering: true });
    await nobodyLeads([victim, lagging], noLeaderMs);
    await cluster.startReplica(leader);
    await isWhole(victim);
    await nothingIsLost();
  }, 60_000);
});

describe('a new cluster', () => {
  async function startEmpty(ids: readonly string[]): Promise<void> {
    await cluster.killAll();
    for (const id of replicaIds) removeDirectory(id);
    written = 0;
    await Promise.all(ids.map((id) => cluster.startReplica(id)));
  }

  it('begins without delay when its replicas start together, and all are whole', async () => {
    await startEmpty(replicaIds);
    await Promise.all(
      replicaIds.map((id) =>
        eventually(() => cluster.process(id).output.includes('a new cluster begins')),
      ),
    );
    for (const id of replicaIds) {
      expect(cluster.process(id).output).not.toContain(said);
      const waited = /"waitedMs":([\d.]+)/.exec(cluster.process(id).output)?.[1];
      expect(Number(waited)).toBeLessThan(1_500);
    }
    await write(1);
  }, 30_000);

  it('begins with a majority, and makes the one that comes late whole', async () => {
    const [late = '', ...others] = replicaIds;
    await startEmpty(others);
    await write(5);
    await cluster.startReplica(late);
    const startedAt = performance.now();
    await isWhole(late);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await nothingIsLost();
  }, 30_000);

  it('does not begin with less than a majority', async () => {
    const [alone = '', second = '', third = ''] = replicaIds;
    await startEmpty([alone]);
    await nobodyLeads([alone], noLeaderMs);
    await Promise.all([second, third].map((id) => cluster.startReplica(id)));
    await write(1);
  }, 30_000);
});
