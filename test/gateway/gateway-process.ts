// The gateway as a process of its own, bundled as tools/build.mjs does it, with its port handed down as a socket.

import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = new URL('../..', import.meta.url).pathname;

export const tokens = { admin: 'a-secret', operator: 'o-secret', viewer: 'v-secret' } as const;
type TokenName = keyof typeof tokens;

export interface GatewayProcess {
  readonly url: string;
  /** Resident memory in MiB, as the kernel tells it. */
  residentMib(): Promise<number>;
  fetch(path: string, options?: RequestOptions): Promise<Answer>;
  stop(): Promise<number | null>;
}

export interface RequestOptions {
  readonly method?: string;
  readonly body?: unknown;
  /** Sent as it is, in place of JSON. */
  readonly text?: string;
  readonly token?: TokenName | 'none' | 'wrong';
  readonly headers?: Record<string, string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export async function startGateway(
  natsUrl: string,
  environment: Record<string, string> = {},
  { withPage = false } = {},
): Promise<GatewayProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-gateway-'));
  await bundle('gateway', folder);
  if (withPage) await symlink(join(root, 'dist/dashboard'), join(folder, 'dist/dashboard'));
  const socket = await listeningSocket();
  const child = spawn(process.execPath, ['--enable-source-maps', join(folder, 'dist/gateway.js')], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe', socket.fd],
    env: {
      PATH: process.env['PATH'],
      SKEIN_NATS_URL: natsUrl,
      SKEIN_HTTP_FD: '4',
      SKEIN_READY_FD: '3',
      SKEIN_LOG_LEVEL: 'warn',
      SKEIN_TOKENS: JSON.stringify(
        Object.entries(tokens).map(([name, token]) => ({ token: sha256(token), role: name, name })),
      ),
      ...environment,
    },
  });
  child.stdout?.pipe(process.stderr);
  await ready(child);
  socket.server.close();
  const url = `http://127.0.0.1:${socket.port}`;
  return {
    url,
    residentMib: () => residentMib(child.pid ?? 0),
    fetch: (path, options) => request(url + path, options),
    stop: async () => {
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const code = await ended;
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** As tools/build.mjs bundles it, beside what it finds there: `<folder>/dist/<app>.js`. */
export async function bundle(app: string, folder: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: { [app]: `apps/${app}/src/main.ts` },
    outdir: join(folder, 'dist'),
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    tsconfig: 'tsconfig.json',
    logLevel: 'warning',
  });
  for (const name of ['node_modules', 'package.json', 'docs']) {
    await symlink(join(root, name), join(folder, name));
  }
}

async function listeningSocket(): Promise<{ server: Server; fd: number; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const fd = (server as Server & { _handle: { fd: number } })._handle.fd;
  return { server, fd, port: address.port };
}

async function ready(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.stdio[3]?.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}`)));
  });
}

async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024;
}

async function request(url: string, options: RequestOptions = {}): Promise<Answer> {
  const { token = 'admin', method = 'GET', body, text } = options;
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const secret = token === 'wrong' ? 'no-secret' : token === 'none' ? undefined : tokens[token];
  const response = await fetch(url, {
    method,
    headers: {
      ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
      ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
  });
  const answered = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && answered !== '' ? JSON.parse(answered) : answered,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
