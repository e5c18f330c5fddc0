// Logs encrypted at rest: what is written can't be read from the files, a locked replica waits for its key, and keys are renewed
// while clients work. One replica of the three is left unencrypted, so that the search is known to find what there is to find.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rotateKeyContract, unlockContract, type RequestOf } from '@skein/contracts';
import type { StoreClient } from '@skein/store-client';
import { ConsensusCluster, replicaIds } from './consensus-cluster';
import { lostWrites } from './judge';
import { eventually, wait } from './waiting';
import { Workload } from './workload';

const plain = 'r3';
const sealed = replicaIds.filter((id) => id !== plain);
const secrets = ['correct-horse-battery-staple', 'vault/combination'] as const;

const keys = mkdtempSync(join(tmpdir(), 'skein-keys-'));
const keyFile = (id: string): string => join(keys, `${id}.key`);
let cluster: ConsensusCluster;
let store: StoreClient;

beforeAll(async () => {
  cluster = await ConsensusCluster.start({
    env: (id) => ({
      SKEIN_SNAPSHOT_ENTRIES: '100',
      SKEIN_TRAILING_ENTRIES: '50',
      ...(id === plain ? {} : { SKEIN_ENCRYPTION: 'keyfile', SKEIN_KEY_FILE: keyFile(id) }),
    }),
  });
  store = await cluster.client();
}, 60_000);
afterAll(async () => {
  await cluster?.stop();
  rmSync(keys, { recursive: true, force: true });
}, 10_000);

/** Which of these words stand in a file of the replica, as they are. */
function readable(id: string, words: readonly string[]): string[] {
  const directory = cluster.dataDir(id);
  const files = readdirSync(directory).map((name) => readFileSync(join(directory, name)));
  return words.filter((word) => files.some((bytes) => bytes.includes(word)));
}

const unlock = (instance: string, key: string) =>
  cluster.messenger.request(unlockContract, { key }, { instance });
const rotate = (instance: string, request: RequestOf<typeof rotateKeyContract>) =>
  cluster.messenger.request(rotateKeyContract, request, { instance });
const keyOf = (id: string): string => readFileSync(keyFile(id), 'utf8').trim();

describe('an encrypted log', () => {
  it('shows nothing of what it holds, in log, snapshots and what SQLite leaves behind', async () => {
    const [value, key] = secrets;
    await store.put({ key, value });
    for (let n = 0; n < 250; n += 1) await store.put({ key: `${key}/${n % 7}`, value });
    for (const id of replicaIds) {
      await eventually(async () => ((await cluster.status(id)).snapshotIndex ?? 0) > 0);
    }
    expect(readable(plain, secrets)).toEqual([...secrets]);
    for (const id of sealed) expect(readable(id, secrets)).toEqual([]);
    await cluster.killAll();
    for (const id of sealed) expect(readable(id, secrets)).toEqual([]);
    await Promise.all(replicaIds.map((id) => cluster.startReplica(id)));
    expect(await store.get(key)).toMatchObject({ value });
  }, 60_000);

  it('is given new keys while clients work, and the old one opens it no more', async () => {
    const load = new Workload({
      connect: () => cluster.connect(),
      registerClients: 3,
      appendClients: 4,
      leaseClients: 0,
      watchers: 0,
      timeoutsMs: [5_000],
      restMs: 8,
    });
    await load.start();
    const old = new Map(sealed.map((id) => [id, keyOf(id)]));
    for (const id of sealed) {
      await wait(200);
      await rotate(id, { kind: 'data' });
      await wait(200);
      await rotate(id, { kind: 'unlock', newKey: randomBytes(32).toString('base64') });
      expect(keyOf(id)).not.toBe(old.get(id));
    }
    await wait(200);
    await load.stop();
    expect(load.recorder.operations.filter(({ ending }) => ending.kind !== 'answered')).toEqual([]);
    await cluster.killAll();
    await Promise.all(replicaIds.map((id) => cluster.startReplica(id)));
    await eventually(() => cluster.areEqual(replicaIds));
    expect(await lostWrites(cluster, load)).toEqual([]);
    for (const id of sealed) expect(readable(id, ['append/', ...secrets])).toEqual([]);
    const [first] = sealed;
    if (first === undefined) throw new Error('no replica is encrypted');
    await cluster.kill(first);
    await cluster.startReplica(first, { SKEIN_ENCRYPTION: 'locked' });
    await expect(unlock(first, old.get(first) ?? '')).rejects.toMatchObject({ code: 'wrong_key' });
    await unlock(first, keyOf(first));
  }, 60_000);

  it('waits for its key when it is locked, and takes part when it has it', async () => {
    await cluster.killAll();
    await Promise.all([
      cluster.startReplica(plain),
      ...sealed.map((id) => cluster.startReplica(id, { SKEIN_ENCRYPTION: 'locked' })),
    ]);
    for (const id of sealed) expect(await cluster.status(id)).toMatchObject({ isLocked: true });
    await wait(700);
    expect((await cluster.status(plain)).leaderId).toBeNull();
    for (const id of sealed) {
      const wrong = randomBytes(32).toString('base64');
      await expect(unlock(id, wrong)).rejects.toMatchObject({ code: 'wrong_key' });
      expect(await unlock(id, keyOf(id))).toEqual({ replicaId: id, wasLocked: true });
    }
    const [value, key] = secrets;
    expect(await store.get(key)).toMatchObject({ value });
    await eventually(() => cluster.areEqual(replicaIds));
  }, 60_000);
});
