// A replica of one, with a real log and a network that nobody else is on: what it does when something in a step goes wrong.

import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Messenger } from '@skein/messaging';
import type { ServiceLogger } from '@skein/service-boot';
import { Replica, type ReplicaListener } from './replica.actor';

const folders: string[] = [];
const replicas: Replica[] = [];
afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const silent = () => undefined;
const logger = { info: silent, debug: silent, warn: silent } as unknown as ServiceLogger;
const messenger = {
  subscribeBytes: () => ({ unsubscribe: silent, drain: async () => undefined }),
  publishBytes: silent,
} as unknown as Messenger;

async function started(listener: Partial<ReplicaListener>) {
  const dataDir = mkdtempSync(join(tmpdir(), 'skein-replica-'));
  folders.push(dataDir);
  const failures: string[] = [];
  const replica = await Replica.open({
    config: {
      clusterId: 'test',
      replicaId: 'r1',
      voters: ['r1'],
      dataDir,
      tickMs: 5,
      electionTicks: 4,
      heartbeatTicks: 1,
      diskStallMs: 1_000,
      historyRevisions: 10,
    },
    messenger,
    logger,
    onFailure: ({ message }) => failures.push(message),
    logWorker: null,
  });
  replicas.push(replica);
  replica.listener = {
    tookOffice: silent,
    leftOffice: silent,
    applied: silent,
    caughtUp: silent,
    tick: silent,
    roleChanged: silent,
    ...listener,
  };
  replica.start();
  return { replica, failures };
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 5) {
    if (waited > 3_000) throw new Error('it did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('replica', () => {
  it('serves a write that its log holds', async () => {
    let isInOffice = false;
    const { replica, failures } = await started({ tookOffice: () => (isInOffice = true) });
    await eventually(() => isInOffice);
    const answer = await replica.proposals.submit({ type: 'put', key: 'a', value: '1' });
    expect(answer).toEqual({ ok: true, reply: { revision: 1 } });
    expect(failures).toEqual([]);
  });

  it('ends at the first fault in a step, and does nothing more, whoever called it', async () => {
    let isInOffice = false;
    let faults = 0;
    const { replica, failures } = await started({
      tookOffice: () => (isInOffice = true),
      applied: () => {
        faults += 1;
        throw new Error('broken');
      },
    });
    await eventually(() => isInOffice);
    void replica.proposals.submit({ type: 'put', key: 'a', value: '1' });
    await eventually(() => failures.length > 0);
    const { lastIndex } = replica.raftStatus();
    void replica.proposals.submit({ type: 'put', key: 'b', value: '1' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(failures).toEqual(['broken']);
    expect(faults).toBe(1);
    expect(replica.raftStatus().lastIndex).toBe(lastIndex);
  });
});
