// A whole Skein cluster on one machine, seen from outside: three managers, the services, and hosts as network namespaces, all
// in private process, mount and network namespaces. Ending its first process ends all of it; the kernel sees to that.

import { spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import { ControlClient } from './control-client';
import { hostsUp } from './hosts-up';
import { createLayout, type LocalLayout, maxHosts, rebootLayout } from './layout';
import { bindSocket, type ListeningSocket } from './listening-socket';
import { findProgram } from './programs';
import * as records from './run-record';

export interface StartOptions {
  /** The clone's root: dist/ and .skein/ are below it. */
  readonly home: string;
  /** Folder name of the run under .skein/run. */
  readonly name: string;
  readonly path: string;
  readonly hosts: number;
  readonly managers: number;
  readonly httpPort: number;
  readonly natsPort: number;
  /** Take another port where the wished one is taken. */
  readonly orAnyPort: boolean;
  /** A demo ends with its starter and keeps no data. */
  readonly attached: boolean;
  readonly ephemeral: boolean;
  readonly restart: boolean;
  readonly progress: (step: string) => void;
}

const stopTimeoutMs = 20_000;

export class LocalCluster {
  private constructor(
    readonly record: records.RunRecord,
    readonly token: string,
    readonly control: ControlClient,
    private readonly home: string,
    private readonly child: ChildProcess | null,
  ) {}

  get url(): string {
    return this.record.url;
  }

  static async start(options: StartOptions): Promise<LocalCluster> {
    if (options.hosts < 1 || options.hosts > maxHosts) {
      throw new SkeinError('invalid_request', `hosts: expected 1 to ${maxHosts}`, {
        field: 'hosts',
      });
    }
    const dataDir = join(records.runsDir(options.home), options.name);
    const layout = prepareDataDir(dataDir, options);
    const http = await bindSocket(options.httpPort, options.orAnyPort);
    const nats = await bindSocket(options.natsPort, options.orAnyPort);
    const started = await startSupervisor(dataDir, layout, http, nats, options);
    records.writeRecord(started.record);
    const { url, natsUrl } = started.record;
    records.writeClientFile(options.home, { url, token: layout.adminToken, natsUrl });
    const control = await ControlClient.connect(join(dataDir, 'control.sock'));
    const { record, child } = started;
    const cluster = new LocalCluster(record, layout.adminToken, control, options.home, child);
    options.progress('hosts report for duty');
    await hostsUp(url, layout.adminToken, layout.hosts.length).catch(async (error: unknown) => {
      await cluster.stop();
      throw error;
    });
    return cluster;
  }

  /** The running cluster of this name; null if there is none. */
  static async find(home: string, name: string): Promise<LocalCluster | null> {
    const dataDir = join(records.runsDir(home), name);
    const record = records.readRecord(dataDir);
    if (record === null || !records.isAlive(record.supervisor)) return null;
    const layout = readLayout(dataDir);
    const control = await ControlClient.connect(join(dataDir, 'control.sock'));
    return new LocalCluster(record, layout?.adminToken ?? '', control, home, null);
  }

  /** Lets go of a cluster that is to stay: this process may end. */
  detach(): void {
    this.control.close();
    this.child?.disconnect();
    this.child?.unref();
  }

  /** Ends the cluster in order, and by force if that takes too long. */
  async stop(): Promise<void> {
    await this.control.call('shutdown', {}).catch(() => undefined);
    this.control.close();
    await endRun(this.record);
    records.removeRecord(this.record.dataDir);
    records.removeClientFile(this.home, this.url);
  }
}

function prepareDataDir(dataDir: string, options: StartOptions): LocalLayout {
  const record = records.readRecord(dataDir);
  if (record !== null && records.isAlive(record.supervisor)) {
    throw new SkeinError(
      'unavailable',
      `a local cluster runs already: ${record.url}; end it with ./skein down`,
      {
        facts: { url: record.url, pid: record.supervisor.pid },
      },
    );
  }
  mkdirSync(join(dataDir, 'logs'), { recursive: true });
  rmSync(join(dataDir, 'control.sock'), { force: true });
  const earlier = readLayout(dataDir);
  const layout =
    earlier === null
      ? createLayout({ managers: options.managers, hosts: options.hosts })
      : rebootLayout(earlier);
  writeFileSync(join(dataDir, 'layout.json'), JSON.stringify(layout), { mode: 0o600 });
  return layout;
}

function readLayout(dataDir: string): LocalLayout | null {
  const path = join(dataDir, 'layout.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as LocalLayout) : null;
}

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

async function startSupervisor(
  dataDir: string,
  layout: LocalLayout,
  http: ListeningSocket,
  nats: ListeningSocket,
  options: StartOptions,
): Promise<{ child: ChildProcess; record: records.RunRecord }> {
  const { home, path } = options;
  const find = (program: Parameters<typeof findProgram>[0]) => findProgram(program, home, path);
  const userNamespace = process.getuid?.() !== 0;
  const configPath = join(dataDir, 'supervisor.json');
  const programs = {
    ip: find('ip'),
    mount: find('mount'),
    nsenter: find('nsenter'),
    unshare: find('unshare'),
    natsServer: find('nats-server'),
  };
  const { attached, ephemeral, restart } = options;
  writeFileSync(
    configPath,
    JSON.stringify({ layout, home, dataDir, programs, attached, ephemeral, restart }),
    {
      mode: 0o600,
    },
  );
  const log = openSync(join(dataDir, 'logs', 'supervisor.log'), 'a');
  const bundle = join(home, 'dist', 'local-supervisor.js');
  const child = spawn(
    programs.unshare,
    [...unshareFlags(userNamespace), process.execPath, '--no-warnings', bundle, configPath],
    { cwd: home, detached: true, stdio: ['ignore', log, log, 'ipc', http.fd, nats.fd] },
  );
  closeSync(log);
  http.close();
  nats.close();
  await supervisorReady(child, dataDir, userNamespace, options.progress);
  const outer = child.pid as number;
  const record: records.RunRecord = {
    name: options.name,
    dataDir,
    outer: mark(outer),
    supervisor: mark(onlyChildOf(outer)),
    url: `http://127.0.0.1:${http.port}`,
    natsUrl: `nats://${layout.people.user}:${layout.people.password}@127.0.0.1:${nats.port}`,
    userNamespace,
    startedAt: Date.now(),
  };
  return { child, record };
}

function mark(pid: number): records.ProcessMark {
  return { pid, startTicks: records.startTicksOf(pid) ?? '' };
}

function onlyChildOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return Number(children[0]);
}

type SupervisorMessage =
  { type: 'progress'; step: string } | { type: 'ready' } | { type: 'failed'; error: unknown };

function supervisorReady(
  child: ChildProcess,
  dataDir: string,
  userNamespace: boolean,
  progress: (step: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: SupervisorMessage) => {
      if (message.type === 'progress') progress(message.step);
      if (message.type === 'ready') resolve();
      if (message.type === 'failed') reject(SkeinError.fromBody(message.error));
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const log = join(dataDir, 'logs', 'supervisor.log');
      const words = existsSync(log)
        ? readFileSync(log, 'utf8').trim().split('\n').slice(-3).join('; ')
        : '';
      const hint = userNamespace
        ? ' Without root, user namespaces must be allowed (kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns).'
        : '';
      const how = signal ?? `exit code ${code}`;
      reject(
        new SkeinError('unavailable', `can't make the private world (${how}): ${words}.${hint}`),
      );
    });
  });
}

async function endRun(record: records.RunRecord): Promise<void> {
  const deadline = Date.now() + stopTimeoutMs;
  while (records.isAlive(record.supervisor) && Date.now() < deadline) await delay(20);
  for (const found of [record.supervisor, record.outer]) {
    if (records.isAlive(found)) process.kill(found.pid, 'SIGKILL');
  }
  while (records.isAlive(record.supervisor) || records.isAlive(record.outer)) await delay(20);
}

export interface SweepResult {
  readonly ended: string[];
  readonly removed: string[];
}

/** Ends every cluster of this clone and removes what dead ones left: records, sockets, the data of demos. */
export async function sweep(home: string, options: { keepRunning: boolean }): Promise<SweepResult> {
  const result: SweepResult = { ended: [], removed: [] };
  for (const { dataDir, record } of records.listRuns(home)) {
    if (record !== null && records.isAlive(record.supervisor)) {
      if (options.keepRunning) continue;
      const control = await ControlClient.connect(join(dataDir, 'control.sock')).catch(() => null);
      await control?.call('shutdown', {}).catch(() => undefined);
      control?.close();
      await endRun(record);
      result.ended.push(record.name);
    }
    records.removeRecord(dataDir);
    rmSync(join(dataDir, 'control.sock'), { force: true });
    if (isDemoDir(dataDir) && !startingUp(dataDir)) {
      rmSync(dataDir, { recursive: true, force: true });
      result.removed.push(dataDir);
    }
  }
  records.removeStaleClientFile(home);
  return result;
}

export const demoPrefix = 'demo-';

function isDemoDir(dataDir: string): boolean {
  return (dataDir.split('/').at(-1) ?? '').startsWith(demoPrefix);
}

/** A demo's folder is named after the process that runs it: while that lives, it may be about to start. */
function startingUp(dataDir: string): boolean {
  const pid = Number((dataDir.split('/').at(-1) ?? '').slice(demoPrefix.length));
  return Number.isInteger(pid) && records.startTicksOf(pid) !== null;
}
