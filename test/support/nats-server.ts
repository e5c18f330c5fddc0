// A NATS server of a test's own on a random loopback port. It can be stopped and started again on the same port.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface NatsServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it, by a signal to its own pid, and removes its folder. */
  stop(): Promise<void>;
  /** Ends it and starts it again on the same port. */
  restart(): Promise<void>;
  /** Ends it and keeps its port, for a later `start`. */
  pause(): Promise<void>;
  start(): Promise<void>;
}

export interface NatsServerOptions {
  /** Further lines of its configuration file. */
  readonly config?: string;
}

const startLimitMs = 10_000;

export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-nats-'));
  const configPath = join(folder, 'nats.conf');
  await writeFile(configPath, options.config ?? '');
  let running = await launch(folder, configPath, -1);
  const port = running.port;
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    get pid() {
      return running.child.pid ?? 0;
    },
    async stop() {
      await end(running.child);
      await rm(folder, { recursive: true, force: true });
    },
    async restart() {
      await end(running.child);
      running = await launch(folder, configPath, port);
    },
    async pause() {
      await end(running.child);
    },
    async start() {
      running = await launch(folder, configPath, port);
    },
  };
}

/** PATH first; then SKEIN_NATS_SERVER, then the one that set-up fetched. */
function natsServerPath(): string {
  const given = process.env['SKEIN_NATS_SERVER'];
  const candidates = [
    ...(process.env['PATH'] ?? '').split(':').map((folder) => join(folder, 'nats-server')),
    '/usr/sbin/nats-server',
    ...(given === undefined ? [] : [given]),
    join(process.cwd(), '.skein/tools/nats-server/nats-server'),
  ];
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) throw new Error('nats-server is not installed');
  return found;
}

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
}

async function launch(folder: string, configPath: string, port: number): Promise<Running> {
  for (const name of await readdir(folder))
    if (name.endsWith('.ports')) await rm(join(folder, name));
  const child = spawn(
    natsServerPath(),
    ['-c', configPath, '-a', '127.0.0.1', '-p', String(port), '--ports_file_dir', folder],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
  const limit = performance.now() + startLimitMs;
  for (;;) {
    const bound = await readPort(folder);
    if (bound !== undefined) return { child, port: bound };
    if (child.exitCode !== null || performance.now() > limit) {
      await end(child);
      throw new Error(`nats-server did not start:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The server writes `nats-server_<pid>.ports` once it listens. */
async function readPort(folder: string): Promise<number | undefined> {
  const name = (await readdir(folder)).find((each) => each.endsWith('.ports'));
  if (name === undefined) return undefined;
  try {
    const ports = JSON.parse(await readFile(join(folder, name), 'utf8')) as { nats: string[] };
    return Number(new URL(ports.nats[0] ?? '').port);
  } catch {
    return undefined;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** A TCP port of 127.0.0.1 that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
