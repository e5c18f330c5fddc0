// A leader that was frozen goes on as if nothing had happened: it still holds itself for the leader, finds old requests waiting and
// all its leases run out. Nothing of what it says or does then may be wrong. Every answer is looked at, not only the first.

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { keepAliveContract, putContract, rangeContract, type Contract } from '@skein/contracts';
import type { StoreClient } from '@skein/store-client';
import { ConsensusCluster, replicaIds } from './consensus-cluster';
import { RawAsking, type RawAnswer } from './raw-asking';
import { eventually, wait } from './waiting';

const rounds = Number(process.env['SKEIN_ENDURANCE_S'] ?? 0) > 0 ? 20 : 2;
/** Answers that name what was read must be as new as the question, however leadership was proven. */
const levels = (['linearizable', 'lease'] as const).filter(
  (consistency) => rangeContract.request.safeParse({ key: 'k', consistency }).success,
);
const listenMs = 700;

let cluster: ConsensusCluster;
let store: StoreClient;
let raw: RawAsking;

beforeAll(async () => {
  cluster = await ConsensusCluster.start();
  store = await cluster.client();
  raw = await RawAsking.connect(cluster.natsUrl);
}, 30_000);
afterEach(() => replicaIds.forEach((id) => cluster?.signal(id, 'SIGCONT')));
afterAll(async () => {
  await raw?.close();
  await cluster?.stop();
}, 10_000);

/** Freezes the leader and resolves when another is in office. */
async function freezeLeader(): Promise<string> {
  const { replicaId: old } = await cluster.leader();
  cluster.signal(old, 'SIGSTOP');
  await cluster.leaderOtherThan(old);
  return old;
}

/** Asks right before the old leader goes on, so that it finds the question, and again while it wakes. */
async function askWhileItWakes(old: string, ask: () => Promise<RawAnswer[]>) {
  const asked = [ask()];
  await wait(30);
  cluster.signal(old, 'SIGCONT');
  for (let n = 0; n < 60; n += 1) {
    asked.push(ask());
    await wait(n < 40 ? 1 : 10);
  }
  return (await Promise.all(asked)).flat();
}

async function followed(old: string): Promise<void> {
  await eventually(async () => (await cluster.status(old)).role === 'follower');
}

const asking = (contract: Contract, body: unknown) => () =>
  raw.all(contract.subject(), body, listenMs);

describe('a leader that was frozen and goes on', () => {
  it.each(levels)(
    'answers no %s read with what is outdated (bugs 19–21)',
    async (consistency) => {
      for (let round = 0; round < rounds; round += 1) {
        const key = `read/${consistency}`;
        await store.put({ key, value: 'old' });
        const old = await freezeLeader();
        await store.put({ key, value: `new ${round}` });
        const answers = await askWhileItWakes(old, asking(rangeContract, { key, consistency }));
        const values = answers.map(
          ({ body }) => (body as { kvs: { value: string }[] }).kvs[0]?.value,
        );
        expect(new Set(values)).toEqual(new Set([`new ${round}`]));
        await followed(old);
      }
    },
    60_000,
  );

  it('commits none of the writes that waited for it', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const old = await freezeLeader();
      let n = 0;
      const put = () => {
        const key = `written/${round}/${(n += 1)}`;
        return asking(putContract, { key, value: String(n) })();
      };
      const answers = await askWhileItWakes(old, put);
      await followed(old);
      const { kvs } = await store.range({ key: `written/${round}/`, prefix: true });
      expect(kvs.map(({ version }) => version)).toEqual(kvs.map(() => 1));
      const revisions = kvs.map(({ modRevision }) => modRevision);
      const answered = answers.map(({ body }) => (body as { revision: number }).revision);
      expect(new Set(answered).size).toBe(answered.length);
      expect(answered.filter((revision) => !revisions.includes(revision))).toEqual([]);
    }
  }, 60_000);

  it('takes no lease away that its successor renewed, and renews none that has ended (bug 36)', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const [kept, ended] = [`kept-${round}`, `ended-${round}`];
      for (const lease of [kept, ended]) {
        await store.grantLease({ lease, ttlMs: 700 });
        await store.put({ key: `leased/${lease}`, value: '', lease });
      }
      const gone: string[] = [];
      const watch = store.watch({
        prefix: 'leased/',
        onEvents: (revisions) =>
          revisions.forEach(({ events }) =>
            events.forEach(({ type, kv }) => type === 'delete' && gone.push(kv.key)),
          ),
      });
      await watch.opened;
      const old = await freezeLeader();
      const renewing = setInterval(() => void store.keepAlive(kept).catch(() => undefined), 100);
      await store.revokeLease(ended);
      // By the old leader's clock both leases have run out long ago.
      await wait(1_000);
      const renewed = await askWhileItWakes(old, asking(keepAliveContract, { lease: ended }));
      await followed(old);
      await wait(300);
      clearInterval(renewing);
      watch.close();
      expect(renewed).toEqual([]);
      expect(gone).toEqual([`leased/${ended}`]);
      expect(await store.get(`leased/${kept}`)).toBeDefined();
      await store.revokeLease(kept);
    }
  }, 60_000);

  it('leaves one leader that all follow', async () => {
    const { replicaId } = await cluster.leader();
    await eventually(async () => {
      const all = await Promise.all(replicaIds.map((id) => cluster.status(id)));
      return all.every(({ leaderId }) => leaderId === replicaId);
    });
  });
});
