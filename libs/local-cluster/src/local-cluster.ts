// A whole Skein cluster on one machine, seen from outside: three managers, the services, and hosts as network namespaces, all
// in private process, mount and network namespaces. Ending its first process ends all of it; the kernel sees to that.

import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import { ControlClient } from './control-client';
import { hostsUp } from './hosts-up';
import { launch, type Launched } from './launch';
import { createLayout, type LocalLayout, maxHosts, rebootLayout } from './layout';
import { bindSocket } from './listening-socket';
import * as records from './run-record';
import type { TracingSettings } from './tracing';

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
  /** How long a host's credential holds, where that is to be short. */
  readonly credentialTtlMs?: number;
  /** How many of ipam and of registry; default one. */
  readonly replicas?: number;
  /** Managers and services each get a namespace and an underlay address of their own, so that they can be cut off. */
  readonly apart?: boolean;
  /** Each host gets a Docker engine; needs root and the engine's programs. */
  readonly engines?: boolean;
  /** All but NATS in one process; with one manager and one host. */
  readonly single?: boolean;
  /** Timing of the hosts' gossip; default `local`. */
  readonly gossipPreset?: 'lan' | 'wan' | 'local';
  /** How much the services write into their logs; default `info`. */
  readonly logLevel?: 'debug';
  /** Where each process writes a profile of its processor time. */
  readonly profileDir?: string;
  /** `OTEL_…` settings of all services; default: none, and no request is followed. */
  readonly tracing?: TracingSettings | undefined;
  readonly progress: (step: string) => void;
  /** Calls the start off: it rejects with the signal's reason, and nothing of it is left running. */
  readonly signal?: AbortSignal;
}

/** For a cluster that ends with its starter: what differs from three managers and three hosts that keep nothing. */
export type PassingOptions = Pick<StartOptions, 'home' | 'path'> & Partial<StartOptions>;

const stopTimeoutMs = 20_000;

export class LocalCluster {
  private constructor(
    readonly record: records.RunRecord,
    readonly token: string,
    readonly control: ControlClient,
    private readonly home: string,
    private readonly child: ChildProcess | null,
    private readonly isEphemeral: boolean,
    /** Ids of its hosts, whether their agents run or not. */
    readonly hosts: readonly string[],
  ) {}

  get url(): string {
    return this.record.url;
  }

  /** For a proof, a measurement or a test: on ports that are free, in a folder named after this process. */
  static startPassing(options: PassingOptions): Promise<LocalCluster> {
    return LocalCluster.start({
      // One that is given up while it starts is in nobody's way after it, in the same process.
      name: `${demoPrefix}${randomBytes(2).toString('hex')}-${process.pid}`,
      hosts: 3,
      managers: 3,
      httpPort: 0,
      natsPort: 0,
      orAnyPort: true,
      attached: true,
      ephemeral: true,
      restart: false,
      progress: () => undefined,
      ...options,
    });
  }

  /** A start that fails leaves nothing of an ephemeral cluster but the logs that its error names. */
  static async start(options: StartOptions): Promise<LocalCluster> {
    if (options.single === true && (options.hosts !== 1 || options.managers !== 1)) {
      throw new SkeinError('invalid_request', 'a single process has one manager and one host', {
        field: 'single',
      });
    }
    if (options.hosts < 1 || options.hosts > maxHosts) {
      throw new SkeinError('invalid_request', `hosts: expected 1 to ${maxHosts}`, {
        field: 'hosts',
      });
    }
    const dataDir = join(records.runsDir(options.home), options.name);
    refuseSecond(options, dataDir);
    const { layout, launched } = await launchOnSockets(dataDir, options).catch((error: unknown) => {
      const told = withKeptLogs(error, options.home, dataDir, options.ephemeral);
      if (options.ephemeral) rmSync(dataDir, { recursive: true, force: true });
      throw told;
    });
    const { record, child } = launched;
    const { url, natsUrl, natsCreds } = record;
    records.writeClientFile(options.home, { url, token: layout.adminToken, natsUrl, natsCreds });
    const control = await ControlClient.connect(join(dataDir, 'control.sock'));
    const { home, ephemeral } = options;
    const cluster = new LocalCluster(
      ...([record, layout.adminToken, control, home, child, ephemeral] as const),
      layout.hosts.map(({ id }) => id),
    );
    options.progress('hosts report for duty');
    await hostsUp(url, layout.adminToken, layout.hosts.length, options.signal).catch(
      async (error: unknown) => {
        const told = withKeptLogs(error, options.home, dataDir, options.ephemeral);
        await cluster.stop();
        throw told;
      },
    );
    return cluster;
  }

  /** The running cluster of this name; null if there is none. */
  static async find(home: string, name: string): Promise<LocalCluster | null> {
    const dataDir = join(records.runsDir(home), name);
    const record = records.readRecord(dataDir);
    if (record === null || !records.isAlive(record.supervisor)) return null;
    const layout = readLayout(dataDir);
    const control = await ControlClient.connect(join(dataDir, 'control.sock'));
    const hosts = layout?.hosts.map(({ id }) => id) ?? [];
    return new LocalCluster(record, layout?.adminToken ?? '', control, home, null, false, hosts);
  }

  /** Lets go of a cluster that is to stay: this process may end. */
  detach(): void {
    this.control.close();
    // Until it has heard this, it ends when its starter does.
    this.child?.send({ type: 'adopted' }, () => this.child?.disconnect());
    this.child?.unref();
  }

  /** Ends the cluster in order, and by force if that takes too long; nothing is left of one that was started as ephemeral. */
  async stop(): Promise<void> {
    await this.control.call('shutdown', {}).catch(() => undefined);
    this.control.close();
    await endRun(this.record);
    records.removeRecord(this.record.dataDir);
    records.removeClientFile(this.home, this.url);
    if (this.isEphemeral) rmSync(this.record.dataDir, { recursive: true, force: true });
  }
}

/** Of a name there is one; and of clusters that stay, of which commands mean the only one, there is one of any name. */
function refuseSecond({ home, attached }: StartOptions, dataDir: string): void {
  const stays = !attached && !isDemoDir(dataDir);
  const running = records.listRuns(home).flatMap(({ dataDir: dir, record }) => {
    const inTheWay = dir === dataDir || (stays && !isDemoDir(dir));
    return inTheWay && record !== null && records.isAlive(record.supervisor) ? [record] : [];
  });
  const [record] = running;
  if (record === undefined) return;
  const message = `a local cluster runs already: ${record.url}; end it with ./skein down`;
  const hint = '`./skein down` ends it; then start this one.';
  throw new SkeinError('unavailable', message, {
    facts: { url: record.url, pid: record.supervisor.pid, hint },
  });
}

/** The ports are taken first: of two starts at once, one ends here and has changed nothing. */
async function launchOnSockets(
  dataDir: string,
  options: StartOptions,
): Promise<{ layout: LocalLayout; launched: Launched }> {
  const http = await bindSocket(options.httpPort, options.orAnyPort);
  try {
    const nats = await bindSocket(options.natsPort, options.orAnyPort);
    try {
      const layout = prepareDataDir(dataDir, options);
      return { layout, launched: await launch(dataDir, layout, http, nats, options) };
    } finally {
      nats.close();
    }
  } finally {
    http.close();
  }
}

const keptLogs = (home: string): string => join(home, '.skein', 'last-failure');

/** Copies a run's logs to where they outlive its data; answers where. Each failure replaces the one before. */
export function keepLogs(home: string, dataDir: string): string {
  const kept = keptLogs(home);
  const logs = join(dataDir, 'logs');
  if (!existsSync(logs)) return kept;
  rmSync(kept, { recursive: true, force: true });
  cpSync(logs, kept, { recursive: true });
  return kept;
}

/** An error that points into a data folder that goes away, made to point at the logs kept of it. */
function withKeptLogs(error: unknown, home: string, dataDir: string, ephemeral: boolean): unknown {
  const logs = join(dataDir, 'logs');
  if (!ephemeral || !(error instanceof SkeinError) || !existsSync(logs)) return error;
  const kept = keepLogs(home, dataDir);
  const pointed = error.message.replaceAll(logs, kept);
  const message = pointed.includes(kept) ? pointed : `${pointed}; logs are in ${kept}`;
  const { log: _gone, ...facts } = error.facts;
  return new SkeinError(error.code, message, { cause: error, facts });
}

function prepareDataDir(dataDir: string, options: StartOptions): LocalLayout {
  mkdirSync(join(dataDir, 'logs'), { recursive: true });
  rmSync(join(dataDir, 'control.sock'), { force: true });
  const earlier = readLayout(dataDir);
  const { tracing } = options;
  const kept = earlier === null ? createLayout(options) : rebootLayout(earlier);
  const layout: LocalLayout = { ...kept, tracing };
  writeFileSync(join(dataDir, 'layout.json'), JSON.stringify(layout), { mode: 0o600 });
  return layout;
}

function readLayout(dataDir: string): LocalLayout | null {
  const path = join(dataDir, 'layout.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as LocalLayout) : null;
}

async function endRun(record: records.RunRecord, patienceMs = stopTimeoutMs): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (records.isAlive(record.supervisor) && Date.now() < deadline) await delay(20);
  if (records.isAlive(record.supervisor)) process.kill(record.supervisor.pid, 'SIGKILL');
  // `unshare` ends by itself once the last process of its world is gone.
  const outerDeadline = Date.now() + 5_000;
  while (records.isAlive(record.outer) && Date.now() < outerDeadline) await delay(10);
  if (records.isAlive(record.outer)) process.kill(record.outer.pid, 'SIGKILL');
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
      // One that does not listen yet, or no more, has nothing to end in order.
      await endRun(record, control === null ? 0 : stopTimeoutMs);
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

/** A demo's folder has the process that runs it at the end of its name: while that lives, it may be about to start. */
function startingUp(dataDir: string): boolean {
  const pid = Number(dataDir.split('-').at(-1));
  return Number.isInteger(pid) && records.startTicksOf(pid) !== null;
}
