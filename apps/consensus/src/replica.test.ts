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
import { encodeMessage, encodeNotice, framesOf } from './frames';
import { Recovery } from './recovery';
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
let hear: (frame: Uint8Array) => void = silent;
const messenger = {
  subscribeBytes: (_subject: string, receive: (frame: Uint8Array) => void) => {
    hear = receive;
    return { unsubscribe: silent, drain: async () => undefined };
  },
  publishBytes: silent,
} as unknown as Messenger;

async function started(
  listener: Partial<ReplicaListener>,
  env: Record<string, string> = {},
  dataDir = folder(),
) {
  const failures: string[] = [];
  const config = parseConfiguration(consensusSchema, {
    SKEIN_REPLICA_ID: 'r1',
    SKEIN_VOTERS: 'r1',
    SKEIN_DATA_DIR: dataDir,
    SKEIN_TICK_MS: '5',
    SKEIN_ELECTION_TICKS: '4',
    SKEIN_HEARTBEAT_TICKS: '1',
    ...env,
  });
  const replica = await Replica.open({
    config,
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
  return { replica, failures, config };
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

  it('takes one new key after the other, however close together they are asked for', async () => {
    const dataDir = folder();
    const env = { SKEIN_ENCRYPTION: 'keyfile' };
    const first = await started({}, env, dataDir);
    await eventually(() => first.replica.core.isInOffice);
    await put(first.replica, 'a');
    const keyOf = (byte: number) => Buffer.alloc(32, byte).toString('base64');
    await Promise.all([7, 8].map((byte) => first.replica.rotateKey(keyOf(byte))));
    expect(readFileSync(join(dataDir, 'raft-log.key'), 'utf8').trim()).toBe(keyOf(8));
    await first.replica.stop();
    const second = await started({}, env, dataDir);
    await eventually(() => second.replica.core.isInOffice);
    expect(second.replica.store.range({ key: 'a' })).toMatchObject({ reply: { count: 1 } });
  });

  it('raises no epoch once a later incarnation of the cluster has left it behind', async () => {
    const { replica, config } = await started({});
    await eventually(() => replica.core.isInOffice);
    await put(replica, 'a');
    for (const frame of framesOf({ epoch: 5, protocolMax: 2, from: 'r2' }, [])) hear(frame);
    expect(replica.fencedBy).toBe(5);
    const recovery = new Recovery(replica, config, logger);
    const { token } = await recovery.recover({ action: 'preview' });
    await expect(recovery.recover({ action: 'confirm', token, force: true })).rejects.toMatchObject(
      { code: 'unavailable', facts: { fencedBy: 5 } },
    );
    expect([replica.epoch, replica.log.meta.epoch]).toEqual([0, 0]);
  });

  it('recovers in another epoch than a survivor that recovers without knowing of it', async () => {
    const { replica, config } = await started({});
    await eventually(() => replica.core.isInOffice);
    const [one, other] = [1, 2].map(
      (chance) => new Recovery(replica, config, logger, () => chance),
    );
    const previews = await Promise.all(
      [one, other].map((each) => each!.recover({ action: 'preview' })),
    );
    const [first, second] = previews.map(({ nextEpoch }) => nextEpoch);
    expect(first).not.toBe(second);
    const { token } = previews[0]!;
    const order = { action: 'confirm', token, force: true } as const;
    await expect(other!.recover(order)).rejects.toMatchObject({ code: 'preview_outdated' });
    expect(await one!.recover(order)).toMatchObject({ confirmed: true, epoch: first });
    expect(replica.log.meta.epoch).toBe(first);
  });

  it('with an empty directory votes for nobody, and recovers for good once it hears that the cluster has begun', async () => {
    const dataDir = folder();
    const env = { SKEIN_VOTERS: 'r1,r2,r3' };
    const { replica, failures } = await started({}, env, dataDir);
    const say = (from: string, part: Uint8Array) => {
      for (const frame of framesOf({ epoch: 0, protocolMax: 2, from }, [part])) hear(frame);
    };
    const at = { term: 5, lastIndex: 0, lastTerm: 0, transfer: false };
    say('r2', encodeMessage({ kind: 'vote', from: 'r2', ...at }));
    say('r2', encodeNotice({ kind: 'origin', from: 'r2', origin: 'fresh', asks: true }));
    await expect(replica.raiseEpoch(1)).rejects.toMatchObject({ code: 'unavailable' });
    expect(replica.core.status()).toMatchObject({ term: 0, isRecovering: false });
    say('r3', encodeNotice({ kind: 'origin', from: 'r3', origin: 'begun', asks: false }));
    await eventually(() => replica.core.status().isRecovering);
    expect(replica.repair?.reason).toContain('the directory is empty but the cluster has begun');
    await replica.stop();
    const second = await started({}, env, dataDir);
    expect(second.replica.log.restored.hardState).toMatchObject({ term: 0, isVoteLost: true });
    expect(second.replica.core.status().isRecovering).toBe(true);
    expect(failures).toEqual([]);
  });

  it('with an empty directory begins once every voter is as fresh, and not before', async () => {
    const { replica } = await started({}, { SKEIN_VOTERS: 'r1,r2' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(replica.core.status().role).toBe('follower');
    const notice = { kind: 'origin', from: 'r2', origin: 'fresh', asks: false } as const;
    const head = { epoch: 0, protocolMax: 2, from: 'r2' };
    for (const frame of framesOf(head, [encodeNotice(notice)])) hear(frame);
    await eventually(() => replica.core.status().role === 'preCandidate');
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
