// What an operator types, from outside: real command lines on a real gateway, before a cluster that stands in. That the cluster
// itself does what it is told is shown on a whole stack, in test/stack/operators.test.ts.

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNatsServer, type NatsServer } from '../support/nats-server';
import { CliProcess, type RunOptions } from './cli-process';
import { startGateway, tokens, type GatewayProcess } from './gateway-process';
import { unlockKey } from './stand-in-cluster';
import { startStandIns, type StandIns } from './stand-in-services';

// Each command is a process of its own.
jest.setTimeout(60_000);

let nats: NatsServer;
let services: StandIns;
let gateway: GatewayProcess;
let cli: CliProcess;

beforeAll(async () => {
  nats = await startNatsServer();
  services = await startStandIns(nats.url);
  gateway = await startGateway(nats.url);
  cli = await CliProcess.prepare(gateway.url, tokens.admin);
}, 40_000);

afterAll(async () => {
  await gateway.stop();
  await services.stop();
  await nats.stop();
  await cli.remove();
}, 30_000);

const skein = (args: string, options?: RunOptions) => cli.run(args.split(' '), options);
const json = async (args: string) => JSON.parse((await skein(`${args} --json`)).stdout);

describe('skein cluster', () => {
  it('shows how the managers fare, and how many may be lost', async () => {
    const { stdout, code } = await skein('cluster status');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^quorum +3 of 3 voters alive, 2 needed: can lose 1 more$/m);
    expect(stdout).toMatch(/^leader +m1, term 2$/m);
    expect(stdout).toMatch(/^MEMBER +ROLE +MATCH INDEX +LAG +DISK +SNAPSHOT +VERSION +STATE$/m);
    expect(stdout).toMatch(/^m2 +follower +5 +0 +0.5 ms +3 +0.1.0 +healthy$/m);
    expect(await json('cluster status')).toMatchObject({ leaderId: 'm1', quorum: { spare: 1 } });
  });

  it('says when nothing may be lost any more', async () => {
    services.cluster.dead.add('m3');
    const { stdout } = await skein('cluster status');
    services.cluster.dead.clear();
    expect(stdout).toContain('2 of 3 voters alive, 2 needed: can lose none');
    expect(stdout).toMatch(/^m3 +unreachable .*unreachable$/m);
  });

  it('shows each replica as it sees itself', async () => {
    const { stdout, code } = await skein('cluster status --local m1,m2,m9');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^m2 +follower +m1 +2 /m);
    expect(stdout).toMatch(/^m9 .*no member$/m);
    expect((await json('cluster status --local')).replicas).toHaveLength(3);
  });

  it('shows the status again and again until Ctrl-C', async () => {
    const watching = cli.follow(['cluster', 'status', '--watch', '0.1', '--json']);
    await watching.seen(/(\{.*\n){3}/);
    const { stdout } = await watching.interrupt();
    for (const line of stdout.trim().split('\n')) expect(JSON.parse(line).clusterId).toBe('c1');
  });

  it('takes a manager in, and says what to run on its host', async () => {
    const added = await skein('cluster add m4');
    expect(added.code).toBe(0);
    expect(added.stdout).toContain('SKEIN_CLUSTER_ID=c1 SKEIN_REPLICA_ID=m4 SKEIN_JOIN=1');
    expect((await json('cluster members')).configuration).toMatchObject({ learners: ['m4'] });
    const early = await skein('cluster promote m4 --wait 0');
    expect(early.code).toBe(4);
    expect(early.stderr).toContain('learner_behind');
    services.cluster.ready.add('m4');
    const promoted = await skein('cluster promote m4');
    expect(promoted.stdout).toBe('m4 votes; voters are m1, m2, m3, m4\n');
    expect((await skein('cluster demote m4')).stdout).toContain('m4 is a learner');
  });

  it('waits for a learner that catches up meanwhile', async () => {
    const promoting = cli.follow(['cluster', 'promote', 'm4', '--wait', '20', '--json']);
    services.cluster.ready.delete('m4');
    setTimeout(() => services.cluster.ready.add('m4'), 600);
    expect(await promoting.seen(/"voters"/)).toContain('m4');
  });

  it('removes a manager only for those who say so, and hands leadership over first', async () => {
    const refused = await skein('cluster remove m1');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('add --yes');
    expect(refused.stderr).toContain('without m1: 3 of 3 voters alive, 2 needed: can lose 1 more');
    const removed = await skein('cluster remove m1 --yes');
    expect(removed.code).toBe(0);
    expect(removed.stdout).toContain('m1 is no member any more; stop its process now');
    expect(services.cluster.leader).toBe('m2');
    expect((await skein('cluster remove m1 --yes')).code).toBe(3);
    await skein('cluster transfer m4');
    expect(services.cluster.leader).toBe('m4');
    services.cluster.leader = 'm1';
    Object.assign(services.cluster, { voters: ['m1', 'm2', 'm3'], learners: [] });
  });

  it('shows and lowers alarms, and sets the quota', async () => {
    services.store.commit({ type: 'setAlarm', alarm: 'nospace' });
    expect((await skein('cluster alarms')).stdout).toMatch(/^nospace +- +\d{4}-/m);
    expect((await skein('cluster alarms clear nospace')).stdout).toBe('nospace cleared\n');
    expect((await skein('cluster alarms clear nospace')).stdout).toBe('nospace was not raised\n');
    expect((await skein('cluster alarms list')).stdout).toContain('no alarms');
    expect((await skein('cluster alarms clear fire')).code).toBe(2);
    expect((await skein('cluster quota')).stdout).toBe('no limit\n');
    expect((await skein('cluster quota 2GiB')).stdout).toBe('2.0 GiB\n');
    expect(await json('cluster quota none')).toMatchObject({ quotaBytes: 0 });
  });

  it('warns of a quota that is used up already, and says what happens', async () => {
    await skein(`kv put weighs ${'x'.repeat(2_000)}`);
    const low = await skein('cluster quota 1KiB');
    expect(low).toMatchObject({ code: 0, stdout: '1.0 KiB\n' });
    expect(low.stderr).toMatch(
      /^warning: the store holds \d.* already: the next write is refused, as no_space, and raises/,
    );
    expect(low.stderr).toContain('skein cluster alarms clear nospace');
    expect((await skein('kv put more v')).stderr).toContain('no_space');
    expect((await skein('cluster quota none')).stderr).toBe('');
    await skein('kv del weighs');
    expect((await skein('cluster alarms clear nospace')).stdout).toBe('nospace cleared\n');
  });
});

describe('skein cluster backup and restore', () => {
  afterEach(() => {
    services.cluster.backupFault = undefined;
  });

  it('writes a file that proves whole, and makes a data directory of it', async () => {
    for (let at = 0; at < 40; at += 1) {
      services.store.commit({ type: 'put', key: `backup/${at}`, value: 'x'.repeat(1_000) });
    }
    const { revision } = services.store.core;
    const taken = await skein('cluster backup whole.backup');
    expect(taken).toMatchObject({ code: 0 });
    expect(taken.stdout).toContain(`revision ${revision} of c1`);
    const where = 'restore whole.backup --data-dir m1 --replica-id m1 --members m1,m2';
    const seen = await json(`cluster ${where} --preview`);
    expect(seen).toMatchObject({ restored: false, epoch: 1, revision: revision + 1_000_000 });
    expect(existsSync(join(cli.work, 'm1'))).toBe(false);
    expect((await skein(`cluster ${where}`)).code).toBe(2);
    const restored = await skein(`cluster ${where} --yes`);
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.stdout).toContain(`restored at revision ${revision + 1_000_000}, epoch 1`);
    // Once more: over what is there now, in a later epoch.
    expect(await json(`cluster ${where} --yes`)).toMatchObject({ epoch: 2 });
    const foreign = await skein(`cluster ${where.replace('id m1', 'id m2')} --yes`);
    expect(foreign.code).toBe(2);
    expect(foreign.stderr).toContain("belongs to replica 'm1'");
  });

  it('writes to standard output, and under a name of its own', async () => {
    expect((await skein('cluster backup -')).stdout).toMatch(/^\{"skeinBackup":1,/);
    const taken = await json('cluster backup --replica m2');
    expect(taken).toMatchObject({ replicaId: 'm2', file: expect.stringMatching(/^c1-\d+/) });
  });

  it('keeps nothing of a backup that broke off or does not fit its checksum', async () => {
    services.cluster.backupFault = 'cut';
    const cut = await skein('cluster backup cut.backup');
    const brokeOff = { code: 5, stderr: expect.stringContaining('broke off') };
    expect(cut).toMatchObject(brokeOff);
    services.cluster.backupFault = 'damaged';
    const damaged = await skein('cluster backup cut.backup');
    expect(damaged).toMatchObject(brokeOff);
    const nowhere = await skein('cluster backup nowhere/cut.backup');
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining("can't be written") });
    for (const name of ['cut.backup', 'cut.backup.partial']) {
      expect(existsSync(join(cli.work, name))).toBe(false);
    }
  });

  it.each([
    ['a changed byte', (bytes: Buffer) => bytes.fill(0x41, 30_000, 30_001)],
    ['a missing end', (bytes: Buffer) => bytes.subarray(0, -10)],
    ['nothing', () => Buffer.alloc(0)],
    ['something else', () => Buffer.from('hello\n')],
    ['more behind it', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])],
  ])('refuses a file with %s', async (_, damage) => {
    const whole = readFileSync(join(cli.work, 'whole.backup'));
    writeFileSync(join(cli.work, 'bad.backup'), damage(Buffer.from(whole)));
    const refused = await skein(
      'cluster restore bad.backup --data-dir bad --replica-id m1 --members m1 --yes',
    );
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('backup_damaged');
    expect(existsSync(join(cli.work, 'bad'))).toBe(false);
  });

  it('asks for what it needs to know', async () => {
    expect((await skein('cluster restore whole.backup --yes')).code).toBe(2);
    expect((await skein('cluster restore none.backup --yes')).code).toBe(2);
    const stray = 'cluster restore whole.backup --data-dir x --replica-id m9 --members m1 --yes';
    expect((await skein(stray)).stderr).toContain('m9 is not among the members');
  });
});

describe('what destroys something', () => {
  it.each([
    'network delete web',
    'detach web a',
    'endpoint delete web a',
    'service withdraw web api',
    'host remove h1',
    'token revoke k7q2mzra',
    'kv del asked/ --prefix',
    'kv compact 1',
    'cluster remove m2',
  ])('is refused without --yes where nobody can be asked: %s', async (args) => {
    await skein('kv put asked/a 1');
    const { revision } = services.store.core;
    const { code, stdout, stderr } = await skein(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: Nobody can be asked here: add --yes \(.*\?.*\)$/m);
    expect(services.store.core.revision).toBe(revision);
  });

  it('is done with --yes', async () => {
    expect((await skein('kv del asked/ --prefix --yes')).stdout).toMatch(/^1 deleted/);
  });
});

describe('skein kv', () => {
  it('reads a span as it is asked to', async () => {
    for (const [key, value] of Object.entries({ 's/a': '3', 's/b': '1', 's/c': '2' })) {
      await skein(`kv put ${key} ${value}`);
    }
    const sorted = await json('kv get s/ --prefix --sort value --order descending --limit 2');
    expect(sorted.kvs.map((kv: { key: string }) => kv.key)).toEqual(['s/a', 's/c']);
    expect((await skein('kv get s/ --prefix --keys-only')).stdout).toBe('s/a\ns/b\ns/c\n');
    expect((await skein('kv get s/a --range-end s/c --count-only')).stdout).toBe('2\n');
    expect((await skein('kv get s/b --replica m2 --consistency stale')).stdout).toBe('1\n');
    expect((await skein('kv get s/b --consistency soon')).code).toBe(2);
  });

  it('writes only if the key is as expected', async () => {
    expect((await skein('kv put once 1 --if-revision 0')).code).toBe(0);
    const again = await skein('kv put once 2 --if-revision 0');
    expect(again.code).toBe(4);
    expect(again.stdout).toMatch(/^not written: the key has revision \d+/);
    expect((await skein('kv put once 2 --previous')).stdout).toContain('before it 1');
    expect((await skein('kv put once -', { stdin: 'from a pipe' })).code).toBe(0);
    expect((await skein('kv get once')).stdout).toBe('from a pipe\n');
  });

  it("keeps hands off Skein's own keys", async () => {
    expect((await skein('kv put /skein/x y')).code).toBe(2);
    expect((await skein('kv put /skein/x y --yes')).code).toBe(0);
    expect((await skein('kv del /skein/ --prefix')).code).toBe(2);
    expect((await skein('kv get /skein/x')).stdout).toBe('y\n');
  });

  it('takes a transaction as words, and as JSON with one inside', async () => {
    const words = ['--if', 'version(t) = 0', '--then', 'put t a b', '--else', 'get t'];
    expect((await cli.run(['kv', 'txn', ...words])).stdout).toMatch(
      /^succeeded, revision \d+\nput/,
    );
    const failed = await cli.run(['kv', 'txn', ...words]);
    expect(failed).toMatchObject({ code: 4 });
    expect(failed.stdout).toContain('t = a b (revision');
    const inner = {
      type: 'txn',
      compare: [],
      success: [{ type: 'put', key: 'nested', value: '1' }],
      failure: [],
    };
    const nested = await skein('kv txn', { stdin: JSON.stringify({ success: [inner] }) });
    expect(nested.stderr).toBe('');
    expect(JSON.parse(nested.stdout).results[0]).toMatchObject({ type: 'txn', succeeded: true });
    expect((await cli.run(['kv', 'txn', '--if', 'version(t) = x'])).code).toBe(2);
    expect((await cli.run(['kv', 'txn', '--then', 'burn t'])).code).toBe(2);
  });

  it('shows every revision of a key, and says what is gone', async () => {
    for (const value of ['one', 'two', 'three']) await skein(`kv put told ${value}`);
    await skein('kv del told');
    const { stdout } = await skein('kv history told');
    expect(stdout.match(/ (one|two|three)$/gm)).toEqual([' one', ' two', ' three']);
    expect(stdout).toMatch(/^\d+ +\d{4}-\S+ +delete +told/m);
    const { revisions } = await json('kv history told --limit 2');
    expect(revisions).toHaveLength(2);
    const last = revisions[1].revision;
    expect((await skein(`kv compact ${last} --yes`)).stdout).toContain(
      `from revision ${last + 1} on`,
    );
    expect((await skein('kv history told')).stdout).not.toContain('one');
    const compacted = await skein(`kv history told --from ${last}`);
    expect(compacted.code).toBe(3);
    expect(compacted.stderr).toContain('revision_compacted');
    expect((await skein(`kv watch told --from ${last}`)).code).toBe(3);
    expect((await skein('kv history never')).code).toBe(3);
  });

  it('prints what happens, and misses nothing when its watch is lost', async () => {
    // The gateway has watches of its own.
    const earlier = services.store.opened;
    const watching = cli.follow(['kv', 'watch', 'w/', '--prefix', '--json']);
    while (services.store.opened <= earlier)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const before = services.store.opened;
    await skein('kv put w/1 a');
    await watching.seen(/"w\/1"/);
    services.store.forgetWatches();
    await skein('kv put w/2 b');
    await skein('kv put other c');
    await skein('kv del w/1');
    await watching.seen(/"delete"/);
    const { stdout, code } = await watching.interrupt();
    expect(code).toBe(0);
    expect(services.store.opened).toBeGreaterThan(before);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).events[0]);
    expect(lines.map(({ type, kv }) => `${type} ${kv.key}`)).toEqual([
      'put w/1',
      'put w/2',
      'delete w/1',
    ]);
  });

  it('leaves out what is not wanted', async () => {
    const watching = cli.follow([
      'kv',
      'watch',
      'f',
      '--filter',
      'noput',
      '--from',
      String(services.store.core.revision + 1),
    ]);
    await skein('kv put f 1');
    await skein('kv del f');
    expect(await watching.seen(/delete/)).not.toContain('put');
    await watching.interrupt();
  });
});

describe('skein lease', () => {
  it('grants, shows, renews and revokes', async () => {
    expect((await skein('lease grant 90s --name worker')).stdout).toBe('worker granted for 90 s\n');
    expect((await skein('lease grant 90s --name worker')).code).toBe(4);
    await skein('kv put job 1 --lease worker');
    expect((await skein('lease list')).stdout).toMatch(/^worker +90 s +90 s +1$/m);
    expect((await skein('lease show worker --keys')).stdout).toMatch(/^keys +job$/m);
    expect((await skein('lease keep-alive worker --once')).stdout).toContain('90 s more');
    expect((await skein('lease revoke worker')).stdout).toMatch(/^worker revoked, 1 key deleted/);
    expect((await skein('kv get job')).code).toBe(3);
    expect((await skein('lease show worker')).code).toBe(3);
    expect((await skein('lease grant soon')).code).toBe(2);
  });

  it('keeps a lease alive until Ctrl-C', async () => {
    await skein('lease grant 600ms --name short');
    const keeping = cli.follow(['lease', 'keep-alive', 'short']);
    await keeping.seen(/(.*lives for 600 ms more\n){3}/);
    expect((await keeping.interrupt()).code).toBe(0);
  });
});

describe('without a leader', () => {
  beforeAll(async () => {
    await services.cluster.loseQuorum();
  });

  it('still shows each replica, takes a backup and reads what is there', async () => {
    expect((await skein('cluster status')).code).toBe(5);
    const { stdout } = await skein('cluster status --local m1,m2,m3');
    expect(stdout).toMatch(/^m2 +preCandidate +- /m);
    expect((await skein('cluster status --local')).stderr).toContain('--local m1,m2,m3');
    expect((await skein('cluster backup last.backup --replica m2')).code).toBe(0);
    expect((await skein('kv get backup/1 --replica m3 --consistency stale')).code).toBe(0);
    expect((await skein('kv get backup/1 --replica m3')).code).toBe(5);
  });

  it('unlocks a replica with its key, and with no other', async () => {
    services.cluster.locked.add('m3');
    expect((await skein('cluster status --local m3')).stdout).toContain('locked');
    expect((await skein('cluster unlock m3')).code).toBe(2);
    const wrong = { env: { SKEIN_KEY: Buffer.alloc(32).toString('base64') } };
    expect((await skein('cluster unlock m3', wrong)).code).toBe(6);
    const done = await skein('cluster unlock m3 --key-file -', { stdin: `${unlockKey}\n` });
    expect(done).toMatchObject({ code: 0, stdout: 'm3 is unlocked\n' });
    expect((await skein('cluster rotate-key m1 m2')).stdout).toMatch(
      /^m2 writes with a new data key/m,
    );
    expect((await skein('cluster rotate-key')).code).toBe(2);
  });

  it('recovers from the replica that is furthest ahead, after a preview', async () => {
    const preview = await skein('cluster recover m2 --preview');
    expect(preview.code).toBe(0);
    expect(preview.stdout).toMatch(/^epoch +0 → 1$/m);
    expect(preview.stdout).toMatch(/^m3 +2 +9 +\d+ +further ahead$/m);
    expect((await skein('cluster recover m3')).code).toBe(2);
    const behind = await skein('cluster recover m2 --yes');
    expect(behind.code).toBe(4);
    expect(behind.stderr).toContain('skein cluster recover m3');
    const done = await skein('cluster recover m3 --yes');
    expect(done.code).toBe(0);
    expect(done.stdout).toContain('m3 leads alone in epoch 1, term ');
    expect((await json('cluster members')).configuration.voters).toEqual(['m3']);
    const again = await skein('cluster recover m3 --yes');
    expect(again.stderr).toContain('quorum_present');
  });
});
