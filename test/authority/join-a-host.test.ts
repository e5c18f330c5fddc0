// docs/runbooks/join-a-host.md, done as it says: keys made by the command line, a server and services that run with them, a real
// agent that joins with a token. On loopback; no network is attached, so no kernel is programmed.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startNatsServer, type NatsServer } from '../support/nats-server';
import { home } from '../support/skein-command';

jest.setTimeout(240_000);

const run = promisify(execFile);
const adminToken = 'an-admin-token-of-this-test';
const running: ChildProcess[] = [];
let folder: string;
let nats: NatsServer;
let gatewayPort: number;
/** By what was started last. */
let said: readonly string[] = [];

const authority = (file: string): string => join(folder, 'authority', file);

/** The command line; answers what it prints. */
async function skein(...args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    SKEIN_URL: `http://127.0.0.1:${gatewayPort}`,
    SKEIN_TOKEN: adminToken,
  };
  const { stdout } = await run(process.execPath, [join(home, 'dist/cli.js'), ...args], { env });
  return stdout;
}

const start = (app: string, env: Record<string, string>): Promise<string[]> =>
  startProgram(app, [process.execPath, '--no-warnings', join(home, `dist/${app}.js`)], {
    SKEIN_NATS_URL: nats.url,
    ...env,
  });

/** Resolves when it says that it is ready. */
function startProgram(
  app: string,
  [command = '', ...args]: readonly string[],
  env: Record<string, string>,
): Promise<string[]> {
  const lines: string[] = [];
  said = lines;
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], ...env },
  });
  running.push(child);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`${app} ended with ${code}:\n${lines.join('')}`)),
    );
    child.stdout?.on('data', (part: Buffer) => {
      lines.push(part.toString());
      if (part.toString().includes('"msg":"ready"')) resolve(lines);
    });
  });
}

const service = (name: string, env: Record<string, string> = {}) =>
  start(name, {
    SKEIN_NATS_CREDS: authority(`${name}.creds`),
    SKEIN_NATS_INBOX: `_INBOX.${name}`,
    SKEIN_REPLICA_ID: `${name}-1`,
    SKEIN_DATA_DIR: join(folder, name),
    ...env,
  });

const agent = (id: string, env: Record<string, string>) =>
  start('host-agent', {
    SKEIN_HOST_ID: id,
    SKEIN_HOST_NAME: id,
    SKEIN_VTEP: '127.0.0.1',
    SKEIN_UNDERLAY_MTU: '1500',
    SKEIN_NATS_CREDS: authority('join.creds'),
    SKEIN_IDENTITY_DIR: join(folder, id),
    ...env,
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skein-join-'));
  gatewayPort = await freePort();
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await nats?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a host joins', () => {
  it('with keys that the command line has made, kept when it runs again', async () => {
    await skein('authority', 'create', join(folder, 'authority'));
    const keys = readFileSync(authority('keys.json'), 'utf8');
    const before = readFileSync(authority('join.creds'), 'utf8');
    const told = await skein('authority', 'create', join(folder, 'authority'), '--json');
    expect(JSON.parse(told)).toMatchObject({ isNew: false });
    expect(readFileSync(authority('keys.json'), 'utf8')).toBe(keys);
    expect(before).toContain('BEGIN NATS USER JWT');
    expect(statSync(authority('keys.json')).mode & 0o077).toBe(0);
    nats = await startNatsServer({
      config: readFileSync(authority('nats-authority.conf'), 'utf8'),
    });
  });

  it('with a token, once the services run', async () => {
    const registryEnv = Object.fromEntries(
      readFileSync(authority('registry.env'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    ) as Record<string, string>;
    const digest = createHash('sha256').update(adminToken).digest('hex');
    const grants = [{ name: 'admin', role: 'admin', token: digest }];
    await Promise.all([
      service('consensus', { SKEIN_VOTERS: 'consensus-1', SKEIN_CLUSTER_ID: 'join' }),
      service('registry', registryEnv),
      service('gateway', {
        SKEIN_TOKENS: JSON.stringify(grants),
        SKEIN_HTTP_PORT: String(gatewayPort),
      }),
    ]);
    const gossip = { SKEIN_GOSSIP_PORT: String(await freePort()) };
    const ready = agent('h4', gossip);
    await refusedWith('host_not_joined');
    const token = await tokenFor('h4');
    writeFileSync(join(folder, 'h4', 'join-token'), `${token}\n`);
    await ready;
    await upWithin('h4');
    expect(statSync(join(folder, 'h4', 'host.nk')).mode & 0o077).toBe(0);
    expect(await skein('host', 'token', 'list')).toMatch(/h4 +used_up +0 of 1/);
  });

  it('again with its key alone', async () => {
    await stopLast();
    rmSync(join(folder, 'h4', 'join-token'));
    await agent('h4', { SKEIN_GOSSIP_PORT: String(await freePort()) });
    await upWithin('h4');
  });

  it('as `agent install` sets it up, started as its unit says', async () => {
    const root = join(folder, 'root');
    const token = await tokenFor('h6');
    const files = ['--creds', authority('join.creds'), '--settings', authority('agent.env')];
    const who = ['--host-id', 'h6', '--vtep', '127.0.0.2', '--nats', nats.url, '--token', token];
    await skein('agent', 'install', ...who, ...files, '--no-docker', '--root', root);
    await stopLast();
    await startUnit(root, { SKEIN_UNDERLAY_MTU: '1500' });
    await upWithin('h6');
    await stopLast();
    const gone = await skein('agent', 'uninstall', '--root', root, '--json');
    const { left } = JSON.parse(gone) as { left: { path: string }[] };
    expect(left.map(({ path }) => path)).toContain('/var/lib/skein-agent/host.nk');
    expect(existsSync(join(root, 'etc/systemd/system/skein-agent.service'))).toBe(false);
  });
});

/** What systemd would start of another root, with the settings that it would read there. */
async function startUnit(root: string, more: Record<string, string>): Promise<void> {
  const unit = readFileSync(join(root, 'etc/systemd/system/skein-agent.service'), 'utf8');
  const inRoot = (text: string) =>
    text
      .replaceAll('/etc/skein', join(root, 'etc/skein'))
      .replaceAll('/var/lib', `${root}/var/lib`);
  const valuesOf = (name: string) =>
    [...unit.matchAll(new RegExp(`^${name}=-?(.*)$`, 'gm'))].map(([, value = '']) => inRoot(value));
  const pairs = valuesOf('EnvironmentFile')
    .filter((path) => existsSync(path))
    .flatMap((path) => inRoot(readFileSync(path, 'utf8')).split('\n'));
  const env = Object.fromEntries(
    [...valuesOf('Environment'), ...pairs]
      .filter((line) => line.includes('='))
      .map((line) => line.replace(/='(.*)'$/, '=$1'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const [command = ''] = valuesOf('ExecStart');
  const [program = '', ...args] = command.split(' ');
  await startProgram('the unit', [program, ...args], { ...env, ...more });
}

async function stopLast(): Promise<void> {
  const last = running.at(-1);
  if (last === undefined) throw new Error('nothing runs');
  const ended = new Promise((resolve) => last.once('exit', resolve));
  last.kill('SIGKILL');
  await ended;
}

async function tokenFor(host: string): Promise<string> {
  const limit = Date.now() + 60_000;
  for (;;) {
    try {
      const made = await skein('host', 'token', 'create', '--host', host, '--json');
      return (JSON.parse(made) as { token: string }).token;
    } catch (thrown) {
      // The registry takes office a moment after it is ready.
      if (Date.now() > limit) throw thrown;
    }
  }
}

/** Waits until what was started last says that it was refused. */
async function refusedWith(code: string): Promise<void> {
  const limit = Date.now() + 60_000;
  while (!said.join('').includes(`"code":"${code}"`)) {
    if (Date.now() > limit) throw new Error(`not refused with ${code}:\n${said.join('')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function upWithin(host: string): Promise<void> {
  const limit = Date.now() + 60_000;
  for (;;) {
    const shown = await skein('host', 'list', '--json').catch(() => '{"hosts":[]}');
    const { hosts } = JSON.parse(shown) as { hosts: { id: string; state: string }[] };
    if (hosts.some(({ id, state }) => id === host && state === 'up')) return;
    if (Date.now() > limit) throw new Error(`${host} did not come up: ${shown}\n${said.join('')}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
