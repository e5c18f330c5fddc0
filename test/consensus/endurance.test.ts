// Minutes of bad days, and the proof that nothing came of them: one order explains every answer, watches missed nothing, leases
// held, and what was acknowledged is there. SKEIN_ENDURANCE_S sets how long, in seconds; by default it is short.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  checkAnswers,
  checkLeases,
  checkOnce,
  checkOrder,
  checkRevisions,
  checkWatches,
} from './checks';
import { ConsensusCluster, replicaIds } from './consensus-cluster';
import { Faults } from './faults';
import { tellFigures } from './figures';
import { everything, watchesCaughtUp } from './judge';
import { CommittedLog } from './replica-log';
import { replay, type Replay } from './replay';
import { eventually, wait } from './waiting';
import { Workload } from './workload';

const seconds = Number(process.env['SKEIN_ENDURANCE_S'] ?? 8);
/** With two of three there, an election and the start of a process on a busy machine. */
const longestUnavailabilityMs = 4_000;

let cluster: ConsensusCluster;
let workload: Workload;
let faults: Faults;
let seen: Replay;
let onDisk: { key: string; value: string }[];

beforeAll(
  async () => {
    cluster = await ConsensusCluster.start({ env: { SKEIN_HISTORY_REVISIONS: '5000000' } });
    const log = new CommittedLog();
    faults = new Faults(cluster, log);
    workload = new Workload({
      connect: () => cluster.connect(),
      registerClients: 6,
      appendClients: 6,
      leaseClients: 4,
      watchers: 4,
      timeoutsMs: [150, 200, 300, 1_000],
      restMs: 8,
    });
    await workload.start();
    await wait(300);
    await workload.watch('register/');
    await faults.rage(seconds * 1_000);
    await workload.watch('', 1);
    await workload.watch('append/', 50);
    await workload.stop();
    await leasesRanOut();
    await watchesCaughtUp(cluster, workload);
    const { commitIndex, replicaId } = await cluster.leader();
    await cluster.killAll();
    for (const id of replicaIds) await log.gather(cluster, id);
    await log.gather(cluster, replicaId, commitIndex);
    seen = replay(log.all());
    await Promise.all(replicaIds.map((id) => cluster.startReplica(id)));
    onDisk = await everything(cluster);
    tell(log);
    expect(log.faults).toEqual([]);
  },
  seconds * 2_000 + 90_000,
);

afterAll(async () => {
  workload?.closeWatches();
  await cluster?.stop();
}, 10_000);

async function leasesRanOut(): Promise<void> {
  const store = await cluster.client();
  await eventually(
    async () => (await store.leases()).leases.length === 0,
    10_000,
    'the last lease',
  );
}

function tell(log: CommittedLog): void {
  const { operations } = workload.recorder;
  const count = (kind: string) => operations.filter(({ ending }) => ending.kind === kind).length;
  const silences = workload.recorder.silences();
  tellFigures('faults', {
    seconds,
    operations: operations.length,
    unknown: count('unknown'),
    refused: count('refused'),
    ...faults.counts,
    entries: log.length,
    revisions: seen.events.length,
    watched: workload.watched.reduce((sum, { seen: revisions }) => sum + revisions.length, 0),
    longestUnavailableMs: Math.max(...silences.map(({ from, to }) => to - from)),
    longestUnavailableWithQuorumMs: Math.max(...silences.map((each) => faults.withQuorum(each))),
  });
}

const few = (found: readonly string[]) => found.slice(0, 5);

describe('three replicas killed, frozen and cut off, again and again', () => {
  it('did what they were asked while it happened', () => {
    const { operations } = workload.recorder;
    expect(operations.length).toBeGreaterThan(seconds * 20);
    expect(faults.counts.kills).toBeGreaterThanOrEqual(Math.floor(seconds / 6));
    expect(operations.some(({ ending }) => ending.kind === 'unknown')).toBe(true);
  });

  it('answer every write as it was done, and do nothing that they refused (bugs 13, 22)', () => {
    expect(few(checkAnswers(workload.recorder.operations, seen))).toEqual([]);
  });

  it('do once what clients send again (bug 24)', () => {
    expect(few(checkOnce(seen))).toEqual([]);
  });

  it('keep real time over all keys, and read what a revision held (bugs 17, 18)', () => {
    expect(few(checkRevisions(workload.recorder.operations, seen))).toEqual([]);
  });

  it('have one order that explains every answer on the keys that all share', () => {
    const { operations, end } = workload.recorder;
    expect(checkOrder(operations, seen, end)).toEqual([]);
  });

  it('tell watches each revision once, in order, with what it replaced (bug 37)', () => {
    expect(few(seen.faults as string[])).toEqual([]);
    expect(few(checkWatches(workload.watched, seen))).toEqual([]);
  });

  it('let no lease run out early, and none live on after its end (bug 36)', () => {
    expect(few(checkLeases(workload.recorder.operations, seen))).toEqual([]);
    expect(seen.expiredAt.size).toBeGreaterThan(0);
  });

  it('hold exactly what was committed after all restart from their disks', () => {
    const expected = [...seen.versions.values()]
      .flatMap((versions) => versions.slice(-1))
      .filter(({ version }) => version > 0);
    const byKey = (one: { key: string }, other: { key: string }) => (one.key < other.key ? -1 : 1);
    expect([...onDisk].sort(byKey)).toEqual(expected.sort(byKey));
  });

  it('answer again soon whenever two of three can', () => {
    const silences = workload.recorder.silences().map((each) => faults.withQuorum(each));
    expect(Math.max(...silences)).toBeLessThan(longestUnavailabilityMs);
  });
});
