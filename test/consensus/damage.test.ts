// What a disk may do to the files of a replica that is down, and what comes of it: the replica says so, takes part in no decision,
// and is whole again once its peers have given it what was lost. With too few whole ones left nothing is made up.

import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { recoverContract, replicaRepairedEvent, type ClusterStatus } from '@skein/contracts';
import type { StoreClient } from '@skein/store-client';
import { ConsensusCluster, replicaIds } from './consensus-cluster';
import {
  damageEntry,
  damageHardState,
  damageSnapshot,
  damageWal,
  flipBits,
  removeDatabase,
} from './damage';
import { eventually, wait } from './waiting';

const often = Number(process.env['SKEIN_ENDURANCE_S'] ?? 0) > 0;
const damages: readonly (readonly [string, (directory: string) => void])[] = [
  ...Array.from(
    { length: often ? 20 : 1 },
    () => ['ten bits are turned over', (directory: string) => flipBits(directory, 10)] as const,
  ),
  ['the database is deleted', removeDatabase],
  ['the hard state is damaged', damageHardState],
  ['an entry is damaged', damageEntry],
  ['the write-ahead log is damaged', damageWal],
  ['the snapshot is damaged', damageSnapshot],
];
/** Many times what an election takes. */
const noLeaderMs = 1_500;

let cluster: ConsensusCluster;
let store: StoreClient;
let written = 0;
const repaired: string[] = [];

beforeAll(async () => {
  cluster = await ConsensusCluster.start({
    env: { SKEIN_SNAPSHOT_ENTRIES: '150', SKEIN_TRAILING_ENTRIES: '60' },
  });
  store = await cluster.client();
  cluster.messenger.subscribeEvent(replicaRepairedEvent, ({ replicaId }) => {
    repaired.push(replicaId);
  });
  await write(400);
}, 60_000);
afterEach(async () => {
  for (const id of replicaIds) if (!cluster.isRunning(id)) await cluster.startReplica(id);
  replicaIds.forEach((id) => cluster.links.set(id, 'whole'));
}, 20_000);
afterAll(() => cluster?.stop(), 10_000);

/** One write after the other, each an entry of its own. */
async function write(count: number): Promise<void> {
  for (const end = written + count; written < end; written += 1) {
    await store.put({ key: `written/${written}`, value: `${written}:${'x'.repeat(200)}` });
  }
}

async function nothingIsLost(): Promise<void> {
  const { count } = await store.range({ key: 'written/', prefix: true, countOnly: true });
  expect(count).toBe(written);
}

async function follower(): Promise<string> {
  const { replicaId } = await cluster.leader();
  return replicaIds.find((id) => id !== replicaId) ?? '';
}

/** It holds what the leader holds, to the last byte, and takes part again. */
async function isWhole(id: string): Promise<void> {
  await eventually(async () => !(await statusOf(id)).isRecovering, 10_000, 'the end of recovery');
  await eventually(async () => cluster.areEqual([id, (await cluster.leader()).replicaId]));
}

const statusOf = (id: string): Promise<ClusterStatus> => cluster.status(id);

async function nobodyLeads(ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    const running = replicaIds.filter((id) => cluster.isRunning(id));
    const all = await Promise.all(running.map((id) => statusOf(id).catch(() => null)));
    expect(all.filter((status) => status?.role === 'leader')).toEqual([]);
    await wait(50);
  }
}

describe('a replica', () => {
  it.each(damages)(
    'comes back whole from its peers when %s',
    async (_, damage) => {
      const victim = await follower();
      await cluster.kill(victim);
      damage(cluster.dataDir(victim));
      await write(5);
      const before = repaired.length;
      await cluster.startReplica(victim);
      await isWhole(victim);
      const { repair } = await statusOf(victim);
      expect(repair?.reason).toMatch(/./);
      expect(cluster.process(victim).output).toContain('the log was damaged');
      expect(cluster.process(victim).output).toContain('the log is whole again');
      await eventually(() => repaired.slice(before).includes(victim));
      await nothingIsLost();
    },
    60_000,
  );

  it('whose log forgot what it had confirmed helps nobody into office', async () => {
    const { replicaId: leader } = await cluster.leader();
    const [victim, lagging] = replicaIds.filter((id) => id !== leader) as [string, string];
    cluster.links.set(lagging, 'cut');
    // Only the leader and the victim hold these.
    await write(20);
    await cluster.kill(victim);
    await cluster.kill(leader);
    damageWal(cluster.dataDir(victim));
    cluster.links.set(lagging, 'whole', true);
    await cluster.startReplica(victim);
    expect(await statusOf(victim)).toMatchObject({ isRecovering: true });
    await nobodyLeads(noLeaderMs);
    await cluster.startReplica(leader);
    await isWhole(victim);
    await nothingIsLost();
  }, 60_000);
});

describe('two damaged replicas of three', () => {
  it('make nothing up, say what is wrong, and follow an operator who trusts the third', async () => {
    const { replicaId: whole } = await cluster.leader();
    const victims = replicaIds.filter((id) => id !== whole);
    await cluster.killAll();
    for (const id of victims) damageWal(cluster.dataDir(id));
    await Promise.all(replicaIds.map((id) => cluster.startReplica(id)));
    await nobodyLeads(noLeaderMs);
    for (const id of victims) {
      expect(await statusOf(id)).toMatchObject({ isRecovering: true, leaderId: null });
    }
    await expect(
      store.put({ key: 'refused', value: '' }, { timeoutMs: 300 }),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/unavailable|no_leader|unknown_outcome/),
    });
    await eventually(() =>
      victims.every((id) => cluster.process(id).output.includes('skein cluster recover')),
    );
    const ask = (body: { action: 'preview' | 'confirm'; token?: string }) =>
      cluster.messenger.request(recoverContract, body, { instance: whole });
    const { token } = await ask({ action: 'preview' });
    const reply = await ask({ action: 'confirm', ...(token === undefined ? {} : { token }) });
    expect(reply).toMatchObject({ confirmed: true, configuration: { voters: [whole] } });
    await store.put({ key: 'after', value: 'recovery' });
    await nothingIsLost();
    // The others have nothing of their own any more: they join anew.
    for (const id of victims) {
      await cluster.kill(id);
      rmSync(cluster.dataDir(id), { recursive: true });
      await cluster.startReplica(id, { SKEIN_JOIN: 'true', SKEIN_VOTERS: '' });
      await cluster.changeMembers({ id, action: 'add', learner: false });
      await isWhole(id);
    }
    expect((await cluster.leader()).configuration?.voters).toEqual([...replicaIds]);
  }, 60_000);
});
