// Everything that an operator types, on a whole stack of real processes: managers come and go, leadership moves, the store is
// backed up and restored, a quorum is lost for good and recovered from. The runbooks' commands are the ones run here.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLayout, LocalCluster, runsDir } from '@skein/local-cluster';
import { home } from '../support/skein-command';
import { Stack, type Answer } from '../support/stack';

jest.setTimeout(180_000);

let stack: Stack;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skein-operators-'));
  stack = await Stack.start();
  for (let at = 0; at < 20; at += 1) await stack.call('POST', '/v1/kv/txn', put(`fill/${at}`, at));
});

afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--no-warnings', join(home, 'dist/cli.js'), ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      SKEIN_HOME: home,
      SKEIN_URL: stack.cluster.url,
      SKEIN_TOKEN: stack.cluster.token,
      ...env,
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  const ended = new Promise<Run>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended, output: () => stdout };
}

/** A command line whose words have no blanks inside. */
const skein = (line: string, env?: Record<string, string>) => start(line.split(' '), env).ended;

/** One that must succeed; answers what it prints. */
async function done(line: string): Promise<string> {
  const run = await skein(line);
  if (run.code !== 0) throw new Error(`skein ${line}: ${run.code}\n${run.stdout}\n${run.stderr}`);
  return run.stdout;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
const json = async (line: string): Promise<any> => JSON.parse(await done(`${line} --json`));

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const limit = Date.now() + 60_000;
  for (;;) {
    const seen = await look().catch(() => undefined);
    if (seen !== undefined) return seen;
    if (Date.now() > limit) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const kill = (id: string) => stack.cluster.control.call('kill', { process: `consensus-${id}` });

describe('an operator', () => {
  it('sees who leads and how many managers may be lost', async () => {
    const status = await done('cluster status');
    expect(status).toContain('3 of 3 voters alive, 2 needed: can lose 1 more');
    const { leaderId, members } = await json('cluster status');
    expect(members.map(({ id }: { id: string }) => id)).toEqual(['m1', 'm2', 'm3']);
    expect(['m1', 'm2', 'm3']).toContain(leaderId);
    const { replicas } = await json('cluster status --local');
    expect(new Set(replicas.map((each: { leaderId: string }) => each.leaderId)).size).toBe(1);
  });

  it('moves leadership', async () => {
    const { leaderId } = await json('cluster status');
    const to = leaderId === 'm1' ? 'm2' : 'm1';
    expect(await done(`cluster transfer ${to}`)).toContain(`${to} leads since term`);
    expect(await json('cluster status')).toMatchObject({ leaderId: to });
  });

  it('replaces a manager: a fourth joins, catches up and votes; an old one goes', async () => {
    for (let at = 0; at < 20; at += 1)
      await stack.call('POST', '/v1/kv/txn', put(`fill/${at}`, at));
    expect(await done('cluster add m4')).toContain('m4 votes; voters are m1, m2, m3, m4');
    const { leaderId } = await json('cluster members');
    const removed = await done(`cluster remove ${leaderId} --yes`);
    expect(removed).toContain('its process has ended, its data is gone');
    const now = await json('cluster status');
    expect(now.configuration.voters).toHaveLength(3);
    expect(now.configuration.voters).toContain('m4');
    expect(now.configuration.voters).not.toContain(leaderId);
    expect(await done('kv get fill/7')).toBe('7\n');
    const hashes = await until('all hold the same', () => sameHash(now.configuration.voters));
    expect(hashes).toHaveLength(3);
    // The one that went comes again under its name, with nothing.
    expect(await done(`cluster add ${leaderId} --no-promote`)).toContain('runs as a learner');
    await done(`cluster promote ${leaderId}`);
    await done('cluster remove m4 --yes');
  });

  it('takes a voter its vote and gives it back', async () => {
    const { leaderId } = await json('cluster members');
    const other = ['m1', 'm2', 'm3'].find((id) => id !== leaderId) as string;
    expect(await done(`cluster demote ${other}`)).toContain(`${other} is a learner`);
    expect((await json('cluster members')).configuration.learners).toEqual([other]);
    await done(`cluster promote ${other}`);
    expect((await json('cluster members')).configuration.voters).toEqual(['m1', 'm2', 'm3']);
  });

  it('follows keys, across a change of leaders', async () => {
    const watching = start(['kv', 'watch', 'w/', '--prefix', '--json', '--from', '1']);
    await done('kv put w/1 a');
    await until('the first event', async () => watching.output().match(/w\/1/) ?? undefined);
    await done('cluster transfer');
    await done('kv put w/2 b');
    await done('kv del w/1');
    await until('the last event', async () => watching.output().match(/delete/) ?? undefined);
    watching.child.kill('SIGINT');
    const { code, stdout } = await watching.ended;
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).events[0]);
    expect(events.map(({ type, kv }) => `${type} ${kv.key}`)).toEqual([
      'put w/1',
      'put w/2',
      'delete w/1',
    ]);
  });

  it('reads the history of a key, until it is compacted', async () => {
    for (const value of ['one', 'two', 'three']) await done(`kv put story ${value}`);
    const { revisions } = await json('kv history story');
    expect(revisions.map((each: Told) => each.events[0]?.kv.value)).toEqual([
      'one',
      'two',
      'three',
    ]);
    const [first, second] = revisions.map((each: Told) => each.revision);
    expect(await done(`kv get story --revision ${first}`)).toBe('one\n');
    await done(`kv compact ${second} --yes`);
    const gone = await skein(`kv get story --revision ${first}`);
    expect(gone).toMatchObject({ code: 3 });
    expect(gone.stderr).toContain('revision_compacted');
    expect((await skein(`kv history story --from ${first}`)).stderr).toContain(
      'revision_compacted',
    );
    expect(await done('kv get story')).toBe('three\n');
  });

  it('reads at the level that is asked for, from the replica that is named', async () => {
    expect(await done('kv get fill/3 --replica m2 --consistency lease')).toBe('3\n');
    for (const level of ['linearizable', 'lease', 'bounded&maxStalenessMs=60000', 'stale']) {
      for (const id of ['m1', 'm2', 'm3']) {
        const path = `/v1/kv?key=fill/3&replica=${id}&consistency=${level}`;
        const { kvs } = await until(path, () => ok(stack.call('GET', path)));
        expect([path, kvs[0]?.value]).toEqual([path, '3']);
      }
    }
  });

  it('keeps keys under a lease, and lets them go with it', async () => {
    await done('lease grant 60s --name night');
    await done('kv put lamp on --lease night');
    expect(await done('lease show night --keys')).toMatch(/^keys +lamp$/m);
    expect(await done('lease keep-alive night --once')).toContain('60 s more');
    expect(await done('lease revoke night')).toContain('1 key deleted');
    expect((await skein('kv get lamp')).code).toBe(3);
    const ttl = { lease: 'brief', ttlMs: 1_500 };
    expect((await stack.call('POST', '/v1/leases', ttl)).status).toBe(201);
    const spark = { type: 'put', key: 'spark', value: 'on', lease: 'brief' };
    expect((await stack.call('POST', '/v1/kv/txn', { success: [spark] })).status).toBe(200);
    await until('the lease has run out', async () => {
      return (await skein('kv get spark')).code === 3 ? true : undefined;
    });
  });

  it('raises the quota when the store is full, and lowers the alarm', async () => {
    const { bytes } = await json('cluster alarms');
    await done(`cluster quota ${bytes + 20_000}`);
    const body = put('big', 'x'.repeat(60_000));
    const refused = await until('the store is full', async () => {
      const answer = await stack.call('POST', '/v1/kv/txn', body);
      return answer.status === 507 ? answer : undefined;
    });
    expect(refused.body.code).toBe('no_space');
    expect(await until('the alarm', () => alarmed('cluster alarms'))).toContain('nospace');
    expect(await done('kv get fill/3')).toBe('3\n');
    expect(await done('kv del big')).toContain('deleted');
    await done('cluster quota none');
    await done('cluster alarms clear nospace');
    expect((await json('cluster alarms')).alarms).toEqual([]);
    expect((await stack.call('POST', '/v1/kv/txn', body)).status).toBe(200);
  });

  it('makes room in a full store by deleting and compacting, under the same quota', async () => {
    const part = (at: number) => put(`part/${at}`, 'x'.repeat(20_000));
    const { bytes } = await json('cluster alarms');
    await done(`cluster quota ${bytes + 50_000}`);
    let parts = 0;
    const refused = await until('the store is full', async () => {
      const answer = await stack.call('POST', '/v1/kv/txn', part(parts));
      if (answer.status !== 200) return answer;
      parts += 1;
      return undefined;
    });
    expect([refused.status, refused.body.code]).toEqual([507, 'no_space']);
    // Whatever would write is refused alike, and whatever reads goes on.
    const network = await stack.call('POST', '/v1/networks', { name: 'full' });
    expect([network.status, network.body.code]).toEqual([507, 'no_space']);
    const typed = await skein('kv put more x');
    expect(typed.code).not.toBe(0);
    expect(typed.stderr).toContain('no_space');
    expect((await stack.call('GET', '/v1/networks')).status).toBe(200);
    expect(await done('kv get fill/3')).toBe('3\n');
    for (let at = 0; at < parts; at += 1) await done(`kv del part/${at}`);
    const { revision } = await json('cluster alarms');
    await done(`kv compact ${revision} --yes`);
    await done('cluster alarms clear nospace');
    expect(await done('kv put more x')).toBeDefined();
    expect((await stack.call('POST', '/v1/kv/txn', part(0))).status).toBe(200);
    await done('kv del part/0');
    await done('cluster quota none');
  });

  it('backs the store up, and makes data directories of it with a later revision', async () => {
    await done('kv put kept yes');
    const taken = await json('cluster backup night.skein-backup');
    expect(taken).toMatchObject({ file: 'night.skein-backup' });
    const plan =
      'cluster restore night.skein-backup --data-dir r1 --replica-id r1 --members r1,r2,r3';
    expect(await json(`${plan} --preview`)).toMatchObject({
      restored: false,
      backupRevision: taken.revision,
      revision: taken.revision + 1_000_000,
    });
    expect(await json(`${plan} --yes`)).toMatchObject({ restored: true, epoch: taken.epoch + 1 });
    const running = join(stack.cluster.record.dataDir, 'm1');
    const { clusterId } = taken;
    const busy = `cluster restore night.skein-backup --data-dir ${running} --replica-id m1 --members m1 --cluster-id ${clusterId} --yes`;
    expect((await skein(busy)).stderr).toContain('replica_running');
  });

  it('restores a backup into a fresh cluster, whose revisions go on above it', async () => {
    const name = `restored-${process.pid}`;
    const dataDir = join(runsDir(home), name);
    const layout = createLayout({ managers: 3, hosts: 3 });
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, 'layout.json'), JSON.stringify(layout), { mode: 0o600 });
    try {
      const members = layout.managers.join(',');
      for (const id of layout.managers) {
        const place = `--data-dir ${join(dataDir, id)} --replica-id ${id} --members ${members}`;
        const whose = `--cluster-id ${layout.clusterId} --epoch 7`;
        await done(`cluster restore night.skein-backup ${place} ${whose} --yes`);
      }
      const fresh = await LocalCluster.startPassing({
        ...{ home, name, path: process.env['PATH'] ?? '' },
        ephemeral: false,
      });
      try {
        const env = { SKEIN_URL: fresh.url, SKEIN_TOKEN: fresh.token };
        const kept = JSON.parse((await skein('kv get kept --json', env)).stdout);
        expect(kept.kvs[0].value).toBe('yes');
        expect(kept.revision).toBeGreaterThan(1_000_000);
        const status = JSON.parse((await skein('cluster status --json', env)).stdout);
        expect(status).toMatchObject({ epoch: 7, quorum: { alive: 3 } });
        expect((await skein('kv put new life', env)).code).toBe(0);
        const early = await skein('kv history kept --from 1', env);
        expect(early.stderr).toContain('revision_compacted');
      } finally {
        await fresh.stop();
      }
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('recovers from the last manager when the others are lost for good', async () => {
    await done('kv put before loss');
    const { leaderId } = await json('cluster status');
    const survivor = ['m1', 'm2', 'm3'].find((id) => id !== leaderId) as string;
    const lost = ['m1', 'm2', 'm3'].filter((id) => id !== survivor);
    expect((await skein(`cluster recover ${survivor} --yes`)).stderr).toContain('quorum_present');
    await Promise.all(lost.map(kill));
    const preview = await json(`cluster recover ${survivor} --preview`);
    expect(preview).toMatchObject({ replicaId: survivor });
    expect(preview.nextEpoch).toBeGreaterThan(preview.epoch);
    const recovered = await until('nobody is heard', () =>
      done(`cluster recover ${survivor} --yes`),
    );
    expect(recovered).toContain(`${survivor} leads alone in epoch ${preview.nextEpoch}`);
    expect(await done('kv get before')).toBe('loss\n');
    await done('kv put after recovery');
    // Whoever comes back of the old epoch is not listened to.
    await stack.cluster.control.call('start', { process: `consensus-${lost[0]}` });
    await done('kv put after again');
    expect(await json('cluster members')).toMatchObject({
      configuration: { voters: [survivor] },
    });
    for (const id of lost) {
      await stack.cluster.control.call('removeManager', { id });
      await done(`cluster add ${id}`);
    }
    expect(await done('cluster status')).toContain('3 of 3 voters alive');
    expect(await done('kv get after')).toBe('again\n');
  });
});

interface Told {
  readonly revision: number;
  readonly events: readonly { readonly kv: { readonly value: string } }[];
}

function put(key: string, value: unknown) {
  return { success: [{ type: 'put', key, value: String(value) }] };
}

async function ok(answered: Promise<Answer>): Promise<Answer['body'] | undefined> {
  const { status, body } = await answered;
  return status === 200 ? body : undefined;
}

async function alarmed(line: string): Promise<string | undefined> {
  const shown = await done(line);
  return shown.includes('nospace') ? shown : undefined;
}

/** The replicas' hashes, if all have applied equally much and agree. */
async function sameHash(ids: readonly string[]) {
  const answers = await Promise.all(
    ids.map((id) => stack.call('GET', `/v1/cluster/replicas/${id}/hash`)),
  );
  const first = answers[0]?.body;
  const isSame = answers.every(
    ({ body }) => body.appliedIndex === first.appliedIndex && body.hash === first.hash,
  );
  return isSame ? answers : undefined;
}
