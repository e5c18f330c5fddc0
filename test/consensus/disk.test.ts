// Disks that stall and disks that are full, for real: an ext4 image on a loop device, frozen by the kernel or filled to the brim.
// A leader that can't write gives up its office; a replica that can't write ends and says why; nobody loses what was acknowledged.

import { afterEach, expect, it } from '@jest/globals';
import type { StoreClient } from '@skein/store-client';
import { describeWherePossible } from '../support/where-possible';
import { ConsensusCluster, replicaIds } from './consensus-cluster';
import { tellFigures } from './figures';
import { whyNoDisks } from './replica-disk';
import { eventually, wait } from './waiting';

const stallMs = 3_000;
const stalls = Number(process.env['SKEIN_ENDURANCE_S'] ?? 0) > 0 ? 20 : 1;

let cluster: ConsensusCluster | undefined;
let writer: Writer | undefined;
afterEach(async () => {
  await writer?.stop();
  await cluster?.stop();
  [cluster, writer] = [undefined, undefined];
}, 30_000);

/** Writes one key after the other until it is stopped, and keeps what was acknowledged, and when. */
class Writer {
  readonly acknowledged: { readonly key: string; readonly at: number }[] = [];
  private isRunning = true;
  private readonly work: Promise<void>[];

  constructor(store: StoreClient, writers: number) {
    this.work = Array.from({ length: writers }, async (_, writer) => {
      for (let n = 0; this.isRunning; n += 1) {
        const key = `written/${writer}/${n}`;
        const done = await store.put({ key, value: 'x'.repeat(1_000) }, { timeoutMs: 1_000 }).then(
          () => true,
          () => false,
        );
        if (done) this.acknowledged.push({ key, at: performance.now() });
        await wait(2);
      }
    });
  }

  async stop(): Promise<void> {
    this.isRunning = false;
    await Promise.all(this.work);
  }

  /** Keys that were acknowledged and are not there. */
  async lost(store: StoreClient): Promise<string[]> {
    const found = new Set<string>();
    for (let key = 'written/', more = true; more;) {
      const page = await store.range({ key, rangeEnd: 'written0', limit: 500, keysOnly: true });
      for (const each of page.kvs) found.add(each.key);
      more = page.more;
      key = `${page.kvs.at(-1)?.key ?? ''}\0`;
    }
    return this.acknowledged.map(({ key }) => key).filter((key) => !found.has(key));
  }
}

/** Makes this replica the leader. */
async function lead(running: ConsensusCluster, id: string): Promise<void> {
  await eventually(async () => {
    const { replicaId } = await running.leader();
    if (replicaId === id) return true;
    await running.transfer(id);
    return false;
  });
}

describeWherePossible(await whyNoDisks(), 'a disk of its own', () => {
  it(
    'stalls: the leader loses office within a second, and no write is lost',
    async () => {
      // Room for what is written meanwhile: a full disk ends the replica, which is the next test's matter.
      cluster = await ConsensusCluster.start({ disks: { r1: 64 + 32 * stalls } });
      const running = cluster;
      const store = await running.client();
      const writing = (writer = new Writer(store, 8));
      const figures: Record<string, number>[] = [];
      for (let n = 0; n < stalls; n += 1) {
        await lead(running, 'r1');
        await wait(500);
        await running.disk('r1').freeze(running.process('r1').pid, stallMs);
        const frozenAt = performance.now();
        const successor = await running.leaderOtherThan('r1');
        const officeMs = performance.now() - frozenAt;
        await wait(500);
        const first = writing.acknowledged.find(({ at }) => at > frozenAt + 60);
        const stalled = await running.status('r1');
        figures.push({ officeMs, firstWriteMs: (first?.at ?? Infinity) - frozenAt });
        expect(successor.replicaId).not.toBe('r1');
        expect(stalled.role).not.toBe('leader');
        await wait(Math.max(0, stallMs + 300 - (performance.now() - frozenAt)));
        const { lastIndex } = await running.leader();
        await eventually(async () => (await running.status('r1')).commitIndex >= lastIndex);
      }
      await writing.stop();
      const worst = (name: string) =>
        Math.round(Math.max(...figures.map((each) => each[name] ?? 0)));
      tellFigures('disk stall', {
        stalls,
        stallMs,
        worstOfficeMs: worst('officeMs'),
        worstFirstWriteMs: worst('firstWriteMs'),
      });
      expect(await writing.lost(store)).toEqual([]);
      expect(worst('officeMs')).toBeLessThan(1_000);
      expect(worst('firstWriteMs')).toBeLessThan(stallMs);
    },
    60_000 + stalls * 10_000,
  );

  it('is full: the replica ends and says why, the others go on, and it returns when there is room', async () => {
    cluster = await ConsensusCluster.start({ disks: { r2: 24 } });
    const running = cluster;
    const store = await running.client();
    const replica = running.process('r2');
    const writing = (writer = new Writer(store, 4));
    await wait(500);
    await running.disk('r2').fill(replica.pid, 256);
    const { code } = await replica.ended;
    expect(code).toBe(1);
    expect(replica.output).toContain('"disk_full"');
    expect(replica.output).toContain('Free some space');
    const before = writing.acknowledged.length;
    await eventually(() => writing.acknowledged.length > before + 50);
    const again = await running.failingReplica('r2');
    expect(again).toContain('"disk_full"');
    await running.disk('r2').inside('rm "$0/ballast"');
    await running.startReplica('r2');
    await writing.stop();
    const { lastIndex } = await running.leader();
    await eventually(async () => (await running.status('r2')).appliedIndex >= lastIndex);
    // What it missed it has now: it and one other are a quorum.
    await running.kill(replicaIds.find((id) => id !== 'r2') ?? '');
    expect(await writing.lost(store)).toEqual([]);
  }, 60_000);
});
