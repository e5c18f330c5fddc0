// Starts the private world and its first process, and writes down who they are before anything else can go wrong. A start
// that fails or is called off leaves no process. Knows nothing of what runs inside.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import { cgroupJanitor } from '@skein/docker-engines';
import { Attendant } from './attendant';
import type { LocalLayout } from './layout';
import type { ListeningSocket } from './listening-socket';
import { credentialsFile } from './nats-configuration';
import { findProgram, searchPath } from './programs';
import * as records from './run-record';
import { cgroupParentOf } from './service-list';
import { collectorOf } from './tracing';
import { wayOutCommand } from './way-out';

export interface LaunchOptions {
  readonly home: string;
  readonly name: string;
  readonly path: string;
  readonly attached: boolean;
  readonly ephemeral: boolean;
  readonly restart: boolean;
  readonly profileDir?: string;
  readonly progress: (step: string) => void;
  /** Calls the start off. */
  readonly signal?: AbortSignal;
}

export interface Launched {
  readonly child: ChildProcess;
  readonly record: records.RunRecord;
}

const startTimeoutMs = 60_000;

/** Flags that make the private world; a caller who is not root gets a user namespace of his own in which he is. */
export function unshareFlags(userNamespace: boolean): string[] {
  const own = userNamespace ? ['--user', '--map-root-user'] : [];
  return [
    ...own,
    '--pid',
    '--fork',
    '--mount-proc',
    '--mount',
    '--net',
    '--ipc',
    '--kill-child=KILL',
  ];
}

export async function launch(
  dataDir: string,
  layout: LocalLayout,
  http: ListeningSocket,
  nats: ListeningSocket,
  options: LaunchOptions,
): Promise<Launched> {
  const userNamespace = process.getuid?.() !== 0;
  const child = spawnSupervisor(dataDir, layout, [http.fd, nats.fd], options);
  const ready = supervisorReady(child, dataDir, userNamespace, options.progress);
  ready.catch(() => undefined);
  const outer = mark(child.pid ?? 0);
  let record: records.RunRecord | null = null;
  try {
    record = {
      name: options.name,
      dataDir,
      outer,
      supervisor: mark(await Promise.race([onlyChildOf(outer.pid), ready])),
      url: `http://127.0.0.1:${http.port}`,
      natsUrl: `nats://127.0.0.1:${nats.port}`,
      natsCreds: credentialsFile(dataDir, 'people'),
      userNamespace,
      startedAt: Date.now(),
    };
    records.writeRecord(record);
    await Promise.race([ready, calledOff(options.signal)]);
    return { child, record };
  } catch (error) {
    // The world's first process takes all others with it, and `unshare` ends once they are gone.
    if (record !== null && records.isAlive(record.supervisor))
      process.kill(record.supervisor.pid, 'SIGKILL');
    else child.kill('SIGKILL');
    await gone(record === null ? [outer] : [outer, record.supervisor]);
    records.removeRecord(dataDir);
    throw error;
  }
}

function spawnSupervisor(
  dataDir: string,
  layout: LocalLayout,
  sockets: readonly number[],
  options: LaunchOptions,
): ChildProcess {
  const { home, path, attached, ephemeral, restart, profileDir } = options;
  const { engines, tracing } = layout;
  const attendants = [
    ...(engines === true ? [cgroupJanitor(cgroupParentOf(layout))] : []),
    ...(tracing === undefined ? [] : [wayOutCommand(home, dataDir, collectorOf(tracing))]),
  ].map((command) => new Attendant(command));
  const find = (program: Parameters<typeof findProgram>[0]) => findProgram(program, home, path);
  const programs = {
    ip: find('ip'),
    mount: find('mount'),
    nsenter: find('nsenter'),
    unshare: find('unshare'),
    natsServer: find('nats-server'),
  };
  const configPath = join(dataDir, 'supervisor.json');
  const config = { layout, home, dataDir, programs, attached, ephemeral, restart, profileDir };
  writeFileSync(configPath, JSON.stringify(config), { mode: 0o600 });
  const log = openSync(join(dataDir, 'logs', 'supervisor.log'), 'a');
  const bundle = join(home, 'dist', 'local-supervisor.js');
  const flags = unshareFlags(process.getuid?.() !== 0);
  const child = spawn(
    programs.unshare,
    [...flags, process.execPath, '--no-warnings', bundle, configPath],
    {
      cwd: home,
      detached: true,
      env: { ...process.env, PATH: searchPath(home, path) },
      stdio: ['ignore', log, log, 'ipc', ...sockets, ...attendants.map(({ lifeline }) => lifeline)],
    },
  );
  for (const attendant of attendants) attendant.letGo();
  closeSync(log);
  return child;
}

function mark(pid: number): records.ProcessMark {
  return { pid, startTicks: records.startTicksOf(pid) ?? '' };
}

async function gone(marks: readonly records.ProcessMark[]): Promise<void> {
  while (marks.some((one) => records.isAlive(one))) await delay(10);
}

/** `unshare` forks once it has made the namespaces. */
async function onlyChildOf(pid: number): Promise<number> {
  for (;;) {
    const path = `/proc/${pid}/task/${pid}/children`;
    const children = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
    if (children !== '') return Number(children.split(' ')[0]);
    if (records.startTicksOf(pid) === null)
      throw new SkeinError('unavailable', 'unshare ended before it made the private world');
    await delay(5);
  }
}

function calledOff(signal: AbortSignal | undefined): Promise<never> {
  const limit = AbortSignal.timeout(startTimeoutMs);
  return new Promise((_, reject) => {
    limit.addEventListener('abort', () =>
      reject(new SkeinError('unavailable', `the cluster did not start in ${startTimeoutMs} ms`)),
    );
    if (signal?.aborted === true) reject(signal.reason as Error);
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
  });
}

type SupervisorMessage =
  { type: 'progress'; step: string } | { type: 'ready' } | { type: 'failed'; error: unknown };

/** Never resolves with a value that means anything: a race takes it for the failure that it may be. */
function supervisorReady(
  child: ChildProcess,
  dataDir: string,
  userNamespace: boolean,
  progress: (step: string) => void,
): Promise<never> {
  return new Promise<never>((resolve, reject) => {
    child.on('message', (message: SupervisorMessage) => {
      if (message.type === 'progress') progress(message.step);
      if (message.type === 'ready') resolve(undefined as never);
      if (message.type === 'failed') reject(SkeinError.fromBody(message.error));
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      reject(new SkeinError('unavailable', endedEarly(how, dataDir, userNamespace)));
    });
  });
}

function endedEarly(how: string, dataDir: string, userNamespace: boolean): string {
  if (how === 'SIGKILL') return 'the private world was killed while the cluster started';
  const log = join(dataDir, 'logs', 'supervisor.log');
  const text = existsSync(log) ? readFileSync(log, 'utf8').trim() : '';
  const words = text.split('\n').slice(-3).join('; ');
  const hint = userNamespace
    ? ' Without root, user namespaces must be allowed (kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns).'
    : '';
  return `can't make the private world (${how}): ${words}.${hint}`;
}
