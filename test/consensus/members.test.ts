// The cluster's members change while clients work: each manager is replaced by a new one, and releases are mixed. Clients notice
// nothing but what their library sends again.

import { afterEach, describe, expect, it } from '@jest/globals';
import { transactionContract } from '@skein/contracts';
import { ConsensusCluster, replicaIds } from './consensus-cluster';
import { judge, lostWrites } from './judge';
import { CommittedLog } from './replica-log';
import { eventually } from './waiting';
import { Workload } from './workload';

let cluster: ConsensusCluster | undefined;
let workload: Workload | undefined;

afterEach(async () => {
  await workload?.stop();
  workload?.closeWatches();
  await cluster?.stop();
  [cluster, workload] = [undefined, undefined];
}, 60_000);

async function startLoad(running: ConsensusCluster): Promise<Workload> {
  workload = new Workload({
    connect: () => running.connect(),
    registerClients: 4,
    appendClients: 4,
    leaseClients: 1,
    watchers: 2,
    timeoutsMs: [5_000],
    restMs: 8,
  });
  await workload.start();
  return workload;
}

const isFailure = ({ ending }: Workload['recorder']['operations'][number]): boolean =>
  ending.kind !== 'answered' && ending.code !== 'lease_not_found';

describe('every manager replaced by a new one under load', () => {
  it('fails no request, loses nothing, and leaves the old ones without a say (bugs 1, 23, 38)', async () => {
    const running = (cluster = await ConsensusCluster.start({
      env: { SKEIN_SNAPSHOT_ENTRIES: '200', SKEIN_TRAILING_ENTRIES: '100' },
    }));
    const log = new CommittedLog();
    const load = await startLoad(running);
    const newIds = replicaIds.map((id) => `new-${id}`);
    await eventually(async () => ((await running.leader()).firstIndex ?? 0) > 1, 15_000);
    for (const [n, old] of replicaIds.entries()) {
      const id = newIds[n] ?? '';
      await running.startReplica(id, { SKEIN_JOIN: 'true', SKEIN_VOTERS: '' });
      await running.changeMembers({ id, action: 'add' });
      await running.changeMembers({ id, action: 'promote' });
      await running.changeMembers({ id: old, action: 'remove' });
      await eventually(() => running.process(old).output.includes('no member any more'));
      await running.kill(old);
      await log.gather(running, old);
    }
    await load.stop();
    const leader = await running.leader();
    expect(leader.configuration).toMatchObject({ voters: newIds, learners: [], outgoing: [] });
    for (const id of newIds) {
      expect(running.process(id).output).toContain('a snapshot of the leader has taken the place');
    }
    expect(load.recorder.operations.filter(isFailure).slice(0, 3)).toEqual([]);
    await eventually(() => running.areEqual(newIds));
    expect(await lostWrites(running, load)).toEqual([]);
  }, 60_000);
});

describe('releases of two ages in one cluster', () => {
  it('speak what the older understands, and more once all are new', async () => {
    const running = (cluster = await ConsensusCluster.start({
      env: { SKEIN_PROTOCOL_MAX: '1' },
    }));
    const load = await startLoad(running);
    const newer = { SKEIN_PROTOCOL_MAX: '2' };
    const nested = {
      success: [
        {
          type: 'txn' as const,
          compare: [],
          success: [{ type: 'put' as const, key: 'nested', value: '1' }],
          failure: [],
        },
      ],
    };
    const askNested = () => running.messenger.request(transactionContract, nested);
    for (const id of replicaIds) {
      expect((await running.leader()).protocolVersion).toBe(1);
      await expect(askNested()).rejects.toMatchObject({ code: 'version_unsupported' });
      await running.terminate(id);
      await running.startReplica(id, newer);
      await eventually(async () => (await running.status(id)).leaderId !== null);
    }
    await eventually(async () => (await running.leader()).protocolVersion === 2);
    expect(await askNested()).toMatchObject({ succeeded: true });
    await load.stop();
    expect(load.recorder.operations.filter(isFailure).slice(0, 3)).toEqual([]);
    // The way back is closed, and says so.
    const [id] = replicaIds;
    await running.terminate(id);
    expect(await running.failingReplica(id, { SKEIN_PROTOCOL_MAX: '1' })).toMatch(/protocol/);
    await running.startReplica(id, newer);
    expect(await judge(running, load, new CommittedLog())).toEqual([]);
  }, 60_000);
});
