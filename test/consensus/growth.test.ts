// Logs that are cut and snapshots that take their place, on real disks under load: a follower that was away comes back by
// snapshot, all come back from snapshot and log, and the files stop growing.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { logFileName } from '@skein/raft-sqlite';
import { ConsensusCluster, replicaIds } from './consensus-cluster';
import { tellFigures } from './figures';
import { lostWrites } from './judge';
import { eventually, wait } from './waiting';
import { Workload } from './workload';

const mebi = 1024 * 1024;
const seconds = Number(process.env['SKEIN_ENDURANCE_S'] ?? 0);
/** Several times what the files may come to hold. */
const leastWrittenBytes = 40 * mebi;
const valueBytes = 8_000;
const writers = 16;
/** Live values, snapshots and the log that stays; and the write-ahead log, which is copied back at 8 MiB. */
const boundBytes = { database: 16 * mebi, wal: 24 * mebi } as const;

let cluster: ConsensusCluster;
let workload: Workload | undefined;

beforeAll(async () => {
  cluster = await ConsensusCluster.start({
    env: {
      SKEIN_SNAPSHOT_ENTRIES: '150',
      SKEIN_SNAPSHOT_BYTES: String(2 * mebi),
      SKEIN_TRAILING_ENTRIES: '20',
      SKEIN_HISTORY_REVISIONS: '100',
    },
  });
}, 60_000);
afterEach(async () => {
  await workload?.stop();
  workload?.closeWatches();
  workload = undefined;
}, 20_000);
afterAll(() => cluster?.stop(), 10_000);

async function startLoad(): Promise<Workload> {
  workload = new Workload({
    connect: () => cluster.connect(),
    registerClients: 4,
    appendClients: 8,
    leaseClients: 1,
    watchers: 0,
    timeoutsMs: [5_000],
    restMs: 3,
  });
  await workload.start();
  return workload;
}

const firstIndexOf = async (id: string) => (await cluster.status(id)).firstIndex ?? 0;

describe('a follower that was down while the log was cut', () => {
  it('comes back by snapshot while clients go on, and so do all from snapshot and log (bug 28)', async () => {
    const load = await startLoad();
    const { replicaId: leader } = await cluster.leader();
    const away = replicaIds.find((id) => id !== leader) ?? '';
    await wait(300);
    const { lastIndex } = await cluster.status(away);
    await cluster.kill(away);
    await eventually(
      async () => (await firstIndexOf(leader)) > lastIndex + 1,
      15_000,
      'the cut of the log',
    );
    await cluster.startReplica(away);
    await eventually(() =>
      cluster.process(away).output.includes('a snapshot of the leader has taken the place'),
    );
    await wait(500);
    await load.stop();
    await eventually(() => cluster.areEqual(replicaIds));
    const before = await cluster.leader();
    await cluster.killAll();
    await Promise.all(replicaIds.map((id) => cluster.startReplica(id)));
    const after = await cluster.leader();
    expect(after.snapshotIndex).toBeGreaterThan(0);
    expect(after.revision).toBe(before.revision);
    await eventually(() => cluster.areEqual(replicaIds));
    expect(await lostWrites(cluster, load)).toEqual([]);
    expect(load.recorder.operations.filter(({ ending }) => ending.kind === 'unknown')).toEqual([]);
  }, 60_000);
});

describe('log and database under steady writes', () => {
  it(
    'stop growing',
    async () => {
      const stores = await Promise.all(Array.from({ length: writers }, () => cluster.client()));
      const largest = { database: 0, wal: 0 };
      let writtenBytes = 0;
      const begun = performance.now();
      const isDone = () =>
        writtenBytes > leastWrittenBytes && performance.now() > begun + seconds * 1_000;
      const writing = stores.map(async (store, writer) => {
        for (let n = 0; !isDone(); n += 1) {
          await store.put({ key: `steady/${writer}/${n % 5}`, value: 'x'.repeat(valueBytes) });
          writtenBytes += valueBytes;
        }
      });
      while (!isDone()) {
        for (const id of replicaIds) {
          const log = join(cluster.dataDir(id), logFileName);
          largest.database = Math.max(largest.database, bytesOf(log));
          largest.wal = Math.max(largest.wal, bytesOf(`${log}-wal`));
        }
        await wait(100);
      }
      await Promise.all(writing);
      tellFigures('growth', { writtenBytes, ...largest });
      expect(largest.database).toBeLessThan(boundBytes.database);
      expect(largest.wal).toBeLessThan(boundBytes.wal);
      const { historyLength, logEntries } = await lengths();
      expect(historyLength).toBeLessThan(1_000);
      expect(logEntries).toBeLessThan(1_000);
    },
    60_000 + seconds * 2_000,
  );
});

async function lengths() {
  const { firstIndex = 0, lastIndex, revision, compactRevision = 0 } = await cluster.leader();
  return { logEntries: lastIndex - firstIndex, historyLength: revision - compactRevision };
}

const bytesOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
