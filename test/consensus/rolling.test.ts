// Managers restarted one after the other by their service manager while clients work: leadership is handed over before a leader
// ends, and what the client library sends again is all that anyone notices.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsensusCluster, replicaIds } from './consensus-cluster';
import { tellFigures } from './figures';
import { judge } from './judge';
import { CommittedLog } from './replica-log';
import { eventually, wait } from './waiting';
import { Workload } from './workload';

const turns = Number(process.env['SKEIN_ENDURANCE_S'] ?? 0) > 0 ? 5 : 1;

let cluster: ConsensusCluster;
let workload: Workload;

beforeAll(async () => {
  cluster = await ConsensusCluster.start();
  workload = new Workload({
    connect: () => cluster.connect(),
    registerClients: 6,
    appendClients: 6,
    leaseClients: 1,
    watchers: 2,
    // As services have it: a request is sent again until it is answered.
    timeoutsMs: [5_000],
    restMs: 8,
  });
  await workload.start();
}, 60_000);
afterAll(async () => {
  workload?.closeWatches();
  await cluster?.stop();
}, 10_000);

describe('a rolling restart under load', () => {
  it('fails no request, and hands leadership over instead of losing it', async () => {
    const ended: unknown[] = [];
    for (let turn = 0; turn < turns; turn += 1) {
      for (const id of replicaIds) {
        await wait(400);
        ended.push(await cluster.terminate(id));
        await cluster.startReplica(id);
        await eventually(async () => (await cluster.status(id)).leaderId !== null);
      }
    }
    await wait(400);
    await workload.stop();
    const { operations } = workload.recorder;
    const failed = operations.filter(({ ending }) => ending.kind !== 'answered');
    const silences = workload.recorder.silences().map(({ from, to }) => to - from);
    tellFigures('rolling restart', {
      operations: operations.length,
      restarts: ended.length,
      longestUnavailableMs: Math.max(...silences),
    });
    expect(ended).toEqual(ended.map(() => ({ code: 0, signal: null })));
    expect(failed.filter(({ ending }) => !isLeaseGone(ending)).slice(0, 5)).toEqual([]);
    expect(operations.length).toBeGreaterThan(300 * turns);
  }, 120_000);

  it('keeps every answer true', async () => {
    expect(await judge(cluster, workload, new CommittedLog())).toEqual([]);
  }, 60_000);
});

/** A lease may have run out while its client rested: that is an answer too. */
function isLeaseGone(ending: { readonly kind: string; readonly code?: string }): boolean {
  return ending.code === 'lease_not_found';
}
