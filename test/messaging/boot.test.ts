import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { build } from 'esbuild';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { startNatsServer, type NatsServer } from '../support/nats-server';

let server: NatsServer;
let raw: NatsConnection;
let folder: string;
const started: ChildProcess[] = [];

// The bundle lies inside the work tree, where packages are found.
beforeAll(async () => {
  const root = process.cwd();
  await mkdir(join(root, '.skein'), { recursive: true });
  folder = await mkdtemp(join(root, '.skein', 'boot-test-'));
  await build({
    entryPoints: [join(root, 'test/messaging/hello-service.ts')],
    outfile: join(folder, 'hello.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    tsconfig: join(root, 'tsconfig.json'),
  });
  server = await startNatsServer();
  raw = await connect({ servers: server.url });
}, 30_000);
afterEach(() => {
  for (const child of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});
afterAll(async () => {
  await raw.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  readonly exit: Promise<number | null>;
  output(): string;
}

function start(environment: Record<string, string>): Started {
  const child = spawn(process.execPath, [join(folder, 'hello.mjs')], {
    env: { PATH: process.env['PATH'], SKEIN_NATS_URL: server.url, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  started.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const ready = new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    void exit.then((code) => reject(new Error(`ended with ${code}:\n${output}`)));
  });
  ready.catch(() => undefined);
  return { child, ready, exit, output: () => output };
}

describe('a booted service', () => {
  it('serves its controllers, answers what is running on SIGTERM, and ends with 0', async () => {
    const { child, ready, exit, output } = start({ SKEIN_GREETING: 'ahoy' });
    await ready;
    expect((await raw.request('skein.v1.hello.greet', '{"name":"ann"}')).json()).toMatchObject({
      text: 'ahoy ann',
    });
    const refused = await raw.request('skein.v1.hello.greet', '{"name":"nobody"}');
    expect(refused.headers?.get('Nats-Service-Error')).toBe('host_not_found');
    const broken = await raw.request('skein.v1.hello.greet', '{"name":"bug"}');
    expect(broken.headers?.get('Nats-Service-Error')).toBe('internal');
    const slow = raw.request('skein.v1.hello.greet', '{"name":"slow"}', { timeout: 4_000 });
    await raw.flush();
    child.kill('SIGTERM');
    expect((await slow).json()).toMatchObject({ text: 'ahoy slow' });
    expect(await exit).toBe(0);
    const lines = output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string });
    expect(lines.map(({ msg }) => msg)).toEqual(['ready', 'handler failed', 'stopping', 'stopped']);
  }, 20_000);

  it('tells all faults of its configuration and ends with 2', async () => {
    const { exit, output } = start({ SKEIN_LOG_LEVEL: 'loud', SKEIN_VOLUME: 'eleven' });
    expect(await exit).toBe(2);
    expect(output()).toMatch(/2 fault\(s\)[^]*SKEIN_LOG_LEVEL[^]*SKEIN_VOLUME/);
  }, 20_000);

  it('crashes on a rejection that nobody handles, with a fatal line', async () => {
    const { ready, exit, output } = start({});
    await ready;
    void raw.request('skein.v1.hello.greet', '{"name":"stray"}').catch(() => undefined);
    expect(await exit).toBe(1);
    expect(output()).toContain('"level":"fatal"');
  }, 20_000);

  it('has a health file from when it is ready until it stops', async () => {
    const path = join(folder, 'health');
    const { child, ready, exit } = start({ SKEIN_HEALTH_FILE: path });
    await ready;
    expect((await stat(path)).isFile()).toBe(true);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    await expect(stat(path)).rejects.toThrow('ENOENT');
  }, 20_000);

  it('goes when its parent is gone, if told to', async () => {
    const { child, ready, exit } = start({ SKEIN_EXIT_WITH_PARENT: '1' });
    await ready;
    child.stdout?.destroy();
    child.disconnect();
    expect(await exit).toBe(0);
  }, 20_000);
});
