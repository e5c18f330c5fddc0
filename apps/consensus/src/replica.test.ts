// A replica of one, with a real log and a network that nobody else is on: what it does when something in a step goes wrong.

import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Messenger } from '@skein/messaging';
import { parseConfiguration, type ServiceLogger } from '@skein/service-boot';
import type { ReplicaListener } from '@skein/replica';
import { answerOf } from './answers';
import { consensusSchema } from './consensus.config';
import { Replica } from './replica.actor';

const folders: string[] = [];
const replicas: Replica[] = [];
afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'skein-replica-'));
  folders.push(made);
  return made;
}

const silent = () => undefined;
const logger = {
  info: silent,
  debug: silent,
  warn: silent,
  error: silent,
} as unknown as ServiceLogger;
const messenger = {
  subscribeBytes: () => ({ unsubscribe: silent, drain: async () => undefined }),
  publishBytes: silent,
} as unknown as Messenger;

async function started(
  listener: Partial<ReplicaListener>,
  env: Record<string, string> = {},
  dataDir = folder(),
) {
  const failures: string[] = [];
  const replica = await Replica.open({
    config: parseConfiguration(consensusSchema, {
      SKEIN_REPLICA_ID: 'r1',
      SKEIN_VOTERS: 'r1',
      SKEIN_DATA_DIR: dataDir,
      SKEIN_TICK_MS: '5',
      SKEIN_ELECTION_TICKS: '4',
      SKEIN_HEARTBEAT_TICKS: '1',
      ...env,
    }),
    messenger,
    logger,
    onFailure: ({ message }) => failures.push(message),
    logWorker: null,
    listener: () => ({
      tookOffice: silent,
      leftOffice: silent,
      caughtUp: silent,
      tick: silent,
      roleChanged: silent,
      said: silent,
      storeReplaced: silent,
      ...listener,
    }),
  });
  replicas.push(replica);
  replica.start();
  return { replica, failures };
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 5) {
    if (waited > 3_000) throw new Error('it did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function put(replica: Replica, key: string) {
  return answerOf((answer) => replica.core.submit({ type: 'put', key, value: '1' }, answer));
}

describe('replica', () => {
  it('serves a write that its log holds', async () => {
    let isInOffice = false;
    const { replica, failures } = await started({ tookOffice: () => (isInOffice = true) });
    await eventually(() => isInOffice);
    expect(await put(replica, 'a')).toEqual({ revision: 1 });
    expect(failures).toEqual([]);
  });

  it('ends at the first fault in a step, and does nothing more, whoever called it', async () => {
    let isInOffice = false;
    let faults = 0;
    const { replica, failures } = await started({
      tookOffice: () => (isInOffice = true),
      caughtUp: () => {
        if (!isInOffice) return;
        faults += 1;
        throw new Error('broken');
      },
    });
    await eventually(() => isInOffice);
    put(replica, 'a').catch(silent);
    await eventually(() => failures.length > 0);
    const { lastIndex } = replica.core.status();
    await expect(put(replica, 'b')).rejects.toMatchObject({ code: 'unavailable' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(failures).toEqual(['broken']);
    expect(faults).toBe(1);
    expect(replica.core.status().lastIndex).toBe(lastIndex);
  });

  it('has its key from a file that it makes, and takes a new one that a crash left beside the old', async () => {
    const dataDir = folder();
    const env = { SKEIN_ENCRYPTION: 'keyfile' };
    const first = await started({}, env, dataDir);
    await eventually(() => first.replica.core.isInOffice);
    await put(first.replica, 'a');
    const file = join(dataDir, 'raft-log.key');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const old = readFileSync(file);
    await first.replica.rotateKey(Buffer.alloc(32, 7).toString('base64'));
    await first.replica.stop();
    // As if the process had ended right before the new key took the old one's place.
    renameSync(file, `${file}.next`);
    writeFileSync(file, old);
    const second = await started({}, env, dataDir);
    await eventually(() => second.replica.core.isInOffice);
    expect(second.replica.store.range({ key: 'a' })).toMatchObject({ reply: { count: 1 } });
    expect(readFileSync(file)).not.toEqual(old);
    expect(readFileSync(join(dataDir, 'raft-log.sqlite')).includes('"key":"a"')).toBe(false);
  });

  it('finds again after a restart what its snapshot and its log hold', async () => {
    const dataDir = folder();
    const env = { SKEIN_SNAPSHOT_ENTRIES: '10', SKEIN_TRAILING_ENTRIES: '2' };
    const first = await started({}, env, dataDir);
    await eventually(() => first.replica.core.isInOffice);
    for (let n = 0; n < 25; n += 1) await put(first.replica, `k${n}`);
    await eventually(() => first.replica.core.snapshotIndex > 10);
    const { stateHash } = first.replica.store.status;
    await first.replica.stop();
    const second = await started({}, env, dataDir);
    expect(second.replica.core.status().firstIndex).toBeGreaterThan(1);
    await eventually(() => second.replica.core.isInOffice);
    expect(second.replica.store.range({ key: 'k0' })).toMatchObject({ reply: { count: 1 } });
    expect(second.replica.store.hashPoints).toEqual(first.replica.store.hashPoints);
    expect(stateHash).toHaveLength(16);
  });
});
