// The command line from outside: a real process that talks to a real gateway, before services that stand in.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNatsServer, type NatsServer } from '../support/nats-server';
import { bundle, startGateway, tokens, type GatewayProcess } from './gateway-process';
import { startStandIns, type StandIns } from './stand-in-services';

// Each command is a process of its own.
jest.setTimeout(60_000);

let folder: string;
let nats: NatsServer;
let services: StandIns;
let gateway: GatewayProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skein-cli-'));
  await bundle('cli', folder);
  nats = await startNatsServer();
  services = await startStandIns(nats.url);
  gateway = await startGateway(nats.url);
  await mkdir(join(folder, 'work', '.skein'), { recursive: true });
  await mkdir(join(folder, 'work', 'below'));
  const client = { url: gateway.url, token: tokens.admin };
  await writeFile(join(folder, 'work', '.skein', 'client.json'), JSON.stringify(client));
}, 30_000);

afterAll(async () => {
  await gateway.stop();
  await services.stop();
  await nats.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function skein(args: string, extra: { env?: Record<string, string>; stdin?: string } = {}) {
  return new Promise<Run>((resolve, reject) => {
    const argv = ['--no-warnings', join(folder, 'dist/cli.js'), ...args.split(' ')];
    const child = spawn(process.execPath, argv, {
      cwd: join(folder, 'work', 'below'),
      env: { PATH: process.env['PATH'], ...extra.env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
    child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(extra.stdin ?? '');
  });
}

describe('skein', () => {
  it('creates a network and shows it, as text and as JSON', async () => {
    const made = await skein('network create web --label team=a');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(/^name +web$/m);
    const shown = await skein('network show web --json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ name: 'web', labels: { team: 'a' } });
  });

  it('lists every page of networks as one table', async () => {
    await skein('network create more');
    const { stdout } = await skein('network list');
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toMatch(/^NAME +ID +VNI +SUBNETS +ENDPOINTS +HOSTS$/);
    expect(lines.slice(1).map((line) => line.split(' ')[0])).toEqual(['web', 'more']);
  });

  it('warns of an endpoint that its host could not plug in', async () => {
    const made = await skein('attach web --host h1 --name a --netns /run/netns/a');
    expect(made.code).toBe(0);
    expect(made.stdout).toMatch(/^programmed +not yet by h3$/m);
    expect(made.stderr).toContain('no such namespace (sandbox_not_found)');
  });

  it.each([
    ['network show nowhere', 3, 'network_not_found'],
    ['network create web', 4, 'network_name_taken'],
    ['network create UPPER', 2, 'invalid_request'],
    ['kv txn no-such-file', 2, 'invalid_request'],
  ])('%s ends with %i and %s', async (args, code, name) => {
    const run = await skein(args);
    expect(run.code).toBe(code);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(/^error: /);
    expect(run.stderr).toContain(name);
  });

  it.each([
    'nonsense',
    'network',
    'network create',
    'network create a b',
    'attach web',
    'events --from x',
  ])('refuses the usage %p', async (args) => {
    const run = await skein(args);
    expect([run.code, run.stdout]).toEqual([2, '']);
    expect(run.stderr).not.toBe('');
  });

  it('tells a missing gateway, a wrong token and a low role apart', async () => {
    const away = await skein('host list', { env: { SKEIN_URL: 'http://127.0.0.1:1' } });
    expect(away).toMatchObject({ code: 5, stdout: '' });
    expect(away.stderr).toContain("can't be reached");
    const wrong = await skein('host list', { env: { SKEIN_TOKEN: 'nobody' } });
    expect(wrong.code).toBe(6);
    const low = await skein('network create low', { env: { SKEIN_TOKEN: tokens.viewer } });
    expect(low).toMatchObject({ code: 6 });
    expect(low.stderr).toContain('requiredRole operator');
  });

  it('prints errors as JSON if asked to', async () => {
    const { stderr } = await skein('network show nowhere --json');
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'network_not_found' } });
  });

  it.each([
    ['nonsense --json', undefined],
    ['network create --json', 'name'],
    ['network create a b --json', undefined],
    ['--json network create a', 'json'],
    ['events --from x --json', 'from'],
  ])('prints the error of the usage %p as JSON', async (args, field) => {
    const { code, stdout, stderr } = await skein(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const { error } = JSON.parse(stderr);
    expect([error.code, error.field]).toEqual(['invalid_request', field]);
  });

  it('writes, reads and compares keys', async () => {
    expect((await skein('kv put k v')).code).toBe(0);
    expect((await skein('kv get k')).stdout).toBe('v\n');
    const compare = [{ key: 'k', target: 'value', operator: '=', value: 'other' }];
    const txn = await skein('kv txn', { stdin: JSON.stringify({ compare }) });
    expect(txn.code).toBe(4);
    expect((await skein('kv get none')).code).toBe(3);
  });

  it('says which part of a transaction is wrong, and how it is written', async () => {
    const stdin = JSON.stringify({ success: [{ type: 'get', key: 'k' }] });
    const { code, stderr } = await skein('kv txn', { stdin });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: Field 'success\.0\.type': 'get' is none of put, delete, range, txn$/m,
    );
    expect(stderr).toMatch(/^ +hint +An operation is like {"type":"put"/m);
  });

  it('prints past events, one a line', async () => {
    const event = services.happen('network.deleted', 'n9');
    const { stdout } = await skein(`events --from ${event.revision}`);
    expect(stdout).toMatch(new RegExp(`^ *${event.revision} .*network.deleted`));
    const json = await skein('events --from 0 --json');
    const lines = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ type: 'network.deleted', revision: event.revision });
  });

  it('examines what is in the way', async () => {
    const well = await skein('doctor');
    expect(well.code).toBe(0);
    expect(well.stdout).toContain('NATS is connected, m1 leads');
    const ill = await skein('doctor --json', { env: { SKEIN_URL: 'http://127.0.0.1:1' } });
    expect(ill.code).toBe(5);
    expect(JSON.parse(ill.stdout)).toMatchObject({ ok: false });
  });
});
