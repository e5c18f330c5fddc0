// The whole judgement on a run: ends the cluster, reads what was committed from the disks and checks every answer, event and lease
// against it.

import type { KeyValue } from '@skein/store';
import {
  checkAnswers,
  checkLeases,
  checkOnce,
  checkOrder,
  checkRevisions,
  checkWatches,
} from './checks';
import type { ConsensusCluster } from './consensus-cluster';
import type { CommittedLog } from './replica-log';
import { replay } from './replay';
import { eventually } from './waiting';
import type { Workload } from './workload';

/** Waits until every watch has been told all that was written. Clients must have stopped. */
export async function watchesCaughtUp(
  cluster: ConsensusCluster,
  { watched }: Workload,
): Promise<void> {
  const store = await cluster.client();
  const { revision } = await store.put({ key: 'end', value: 'of the run' });
  const reached = () => watched.every(({ through }) => through >= revision);
  await eventually(reached, 10_000, 'the last revision at every watch');
}

/** The faults of a run, the first few. Kills every replica; `log` may hold what earlier ones had. */
export async function judge(
  cluster: ConsensusCluster,
  workload: Workload,
  log: CommittedLog,
): Promise<string[]> {
  await watchesCaughtUp(cluster, workload);
  const { commitIndex, replicaId, members } = await cluster.leader();
  await cluster.killAll();
  for (const { id } of members) {
    await log.gather(cluster, id, id === replicaId ? commitIndex : undefined);
  }
  const seen = replay(log.all());
  const { operations, end } = workload.recorder;
  return [
    ...log.faults,
    ...seen.faults,
    ...checkAnswers(operations, seen),
    ...checkOnce(seen),
    ...checkRevisions(operations, seen),
    ...checkOrder(operations, seen, end),
    ...checkWatches(workload.watched, seen),
    ...checkLeases(operations, seen),
  ].slice(0, 5);
}

/** Everything that the store holds, in pages. */
export async function everything(cluster: ConsensusCluster): Promise<KeyValue[]> {
  const store = await cluster.client();
  const found: KeyValue[] = [];
  for (let key = '\0', more = true; more;) {
    const page = await store.range({ key, rangeEnd: '\uffff', limit: 1_000 });
    found.push(...page.kvs);
    more = page.more;
    key = `${page.kvs.at(-1)?.key ?? ''}\0`;
  }
  return found;
}

/** Keys of their own that clients were told were written, and that are not there: the first few. */
export async function lostWrites(
  cluster: ConsensusCluster,
  { recorder }: Workload,
): Promise<string[]> {
  const held = new Map((await everything(cluster)).map(({ key, value }) => [key, value]));
  const written = recorder.operations.flatMap(({ asked, ending }) => {
    if (ending.kind !== 'answered') return [];
    if (asked.kind === 'txn') return Object.entries(asked.puts);
    const isOwn = asked.kind === 'put' && asked.key.startsWith('append/');
    return isOwn ? [[asked.key, asked.value] as const] : [];
  });
  return written.flatMap(([key, value]) => (held.get(key) === value ? [] : [key])).slice(0, 5);
}
