// The first process of a local cluster's private world: makes the stage, starts the processes in order, restarts what
// crashes, answers the control socket. When it ends, for whatever reason, the kernel ends everything else of the world.

import { execFile, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import { prepareEngine } from '@skein/docker-engines';
import { resolverAddress } from '@skein/names';
import { ServiceProcess } from './child-process';
import type { ControlHandlers, RunResult } from './control-protocol';
import { serveControl } from './control-server';
import {
  type LocalLayout,
  managerProcess,
  maxManagers,
  natsPort,
  underlayAddress,
  withManager,
  withoutManager,
  withReboot,
} from './layout';
import { memoryOf } from './memory';
import { writeNatsFiles } from './nats-configuration';
import { netnsOfContainer, Network } from './network';
import { relayTo } from './relay';
import { processList, registryDir, type ProcessSpec } from './service-list';
import { wayOutPort } from './tracing';
import { wayOutSocket } from './way-out';

export interface SupervisorConfig {
  readonly layout: LocalLayout;
  readonly home: string;
  readonly dataDir: string;
  readonly programs: {
    ip: string;
    mount: string;
    nsenter: string;
    unshare: string;
    natsServer: string;
  };
  /** A crashed process is started again; the demo does that itself, as part of its story. */
  readonly restart: boolean;
  readonly profileDir?: string | undefined;
}

const restartDelayMs = 1_000;
const resolverDir = '/run/skein-resolv';
/** What containers ask of their engine, it asks the network's resolver, wherever they run. */
const engineSettings = { dns: [resolverAddress] };
const httpFd = 4;
const natsFd = 5;

export class Supervisor {
  readonly #network: Network;
  readonly #processes = new Map<string, ServiceProcess>();
  readonly #restarts = new Map<string, number>();
  readonly #runs = new Map<string, ChildProcess>();
  #layout: LocalLayout;
  #stopping = false;

  constructor(
    private readonly config: SupervisorConfig,
    private readonly onShutdown: () => void,
  ) {
    this.#network = new Network(config.programs);
    this.#layout = config.layout;
    for (const spec of this.#specs()) this.#supervise(spec);
  }

  #specs(): readonly ProcessSpec[] {
    const { home, dataDir, programs, profileDir } = this.config;
    const { natsServer } = programs;
    const each = { home, dataDir, natsServer, enginePrograms: programs, httpFd, profileDir };
    return processList({ layout: this.#layout, ...each });
  }

  #supervise(spec: ProcessSpec): ServiceProcess {
    const process = new ServiceProcess(spec, {
      logDir: join(this.config.dataDir, 'logs'),
      nsenter: this.config.programs.nsenter,
      httpFd,
      onExit: (name) => this.#onExit(name),
    });
    this.#processes.set(spec.name, process);
    return process;
  }

  /** From now on, and at later starts. */
  #keepLayout(layout: LocalLayout): void {
    this.#layout = layout;
    const path = join(this.config.dataDir, 'layout.json');
    writeFileSync(`${path}.new`, JSON.stringify(layout), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  async #addManager(id: string): Promise<void> {
    const { dataDir } = this.config;
    const layout = withManager(this.#layout, id);
    if (layout.managers.length > maxManagers) {
      throw new SkeinError(
        'invalid_request',
        `a local cluster has ${maxManagers} managers at most`,
      );
    }
    // Folders of the services lie beside those of the managers.
    if (layout !== this.#layout && existsSync(join(dataDir, id))) {
      throw new SkeinError('invalid_request', `'${id}' can't be a manager's name here`, {
        field: 'id',
      });
    }
    mkdirSync(join(dataDir, id), { recursive: true });
    this.#keepLayout(layout);
    const name = managerProcess(id);
    const spec = this.#specs().find((each) => each.name === name);
    const process = this.#processes.get(name) ?? this.#supervise(spec as ProcessSpec);
    process.start();
    await process.ready();
  }

  async #rebootHost(host: string): Promise<void> {
    const name = `agent-${host}`;
    await this.#process(name).kill();
    await this.#network.removeOverlays(host);
    this.#keepLayout(withReboot(this.#layout, host));
    this.#supervise(this.#specs().find((each) => each.name === name) as ProcessSpec);
  }

  async #removeManager(id: string): Promise<boolean> {
    const name = managerProcess(id);
    const process = this.#processes.get(name);
    if (process === undefined) return false;
    await process.stop();
    this.#processes.delete(name);
    this.#keepLayout(withoutManager(this.#layout, id));
    rmSync(join(this.config.dataDir, id), { recursive: true, force: true });
    return true;
  }

  async start(progress: (step: string) => void): Promise<void> {
    const { layout, dataDir } = this.config;
    for (const dir of ['logs', ...layout.managers]) {
      mkdirSync(join(dataDir, dir), { recursive: true });
    }
    for (let index = 0; index < (layout.replicas ?? 1); index += 1) {
      mkdirSync(registryDir(dataDir, index), { recursive: true });
    }
    for (const { id } of layout.engines === true ? layout.hosts : [])
      prepareEngine(dataDir, id, engineSettings);
    progress('underlay and hosts');
    await this.#network.prepare();
    mkdirSync(resolverDir, { recursive: true });
    await this.#network.build(layout);
    await writeNatsFiles(layout, dataDir, natsPort);
    await serveControl(join(dataDir, 'control.sock'), this.#handlers());
    progress('nats-server');
    this.#process('nats').start();
    await portOpen(natsPort);
    // People reach NATS through a socket that was bound outside of the private world.
    relayTo({ port: natsPort, host: '127.0.0.1' }).listen({ fd: natsFd });
    if (layout.tracing !== undefined) {
      relayTo({ path: wayOutSocket(dataDir) }).listen(wayOutPort, underlayAddress);
    }
    progress('managers, services and agents');
    const [engines, others] = this.#apart(({ spec }) => spec.engine !== undefined);
    for (const process of others) process.start();
    await Promise.all(others.map((process) => process.ready()));
    if (engines.length === 0) return;
    // An engine asks for its plugins when it starts, and waits long for one that is not there.
    progress('Docker engines');
    for (const process of engines) process.start();
    await Promise.all(engines.map((process) => process.ready()));
  }

  /** Services first, then managers, then NATS: the reverse of the order in which they need each other. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const [engines, processes] = this.#apart(({ spec }) => spec.engine !== undefined);
    const [nats, ...others] = processes;
    const managers = others.filter((process) => process.spec.name.startsWith('consensus-'));
    const services = others.filter((process) => !managers.includes(process));
    await Promise.all(engines.map((process) => process.kill()));
    await Promise.all(services.map((process) => process.stop()));
    await Promise.all(managers.map((process) => process.stop()));
    await nats?.stop();
  }

  #apart(isOne: (process: ServiceProcess) => boolean): [ServiceProcess[], ServiceProcess[]] {
    const all = [...this.#processes.values()];
    return [all.filter(isOne), all.filter((process) => !isOne(process))];
  }

  #process(name: string): ServiceProcess {
    const found = this.#processes.get(name);
    if (found === undefined) {
      throw new SkeinError('invalid_request', `there is no process '${name}'`, {
        field: 'process',
        facts: { processes: [...this.#processes.keys()] },
      });
    }
    return found;
  }

  #onExit(name: string): void {
    const process = this.#processes.get(name);
    if (process === undefined || this.#stopping || !process.wanted || !this.config.restart) return;
    this.#restarts.set(name, (this.#restarts.get(name) ?? 0) + 1);
    setTimeout(() => {
      if (!this.#stopping && process.wanted) process.start();
    }, restartDelayMs);
  }

  #handlers(): ControlHandlers {
    return {
      status: async () => ({
        processes: [...this.#processes.values()].map((process) => ({
          name: process.spec.name,
          pid: process.pid,
          running: process.running,
          restarts: this.#restarts.get(process.spec.name) ?? 0,
          ...memoryOf(process.pid),
        })),
        containers: this.#netns()
          .filter((name) => name.startsWith('c-'))
          .map((name) => name.slice(2)),
      }),
      kill: async ({ process }) =>
        this.#process(process)
          .kill()
          .then(() => ({})),
      stop: async ({ process }) =>
        this.#process(process)
          .stop()
          .then(() => ({})),
      start: async ({ process }) => {
        this.#process(process).start();
        await this.#process(process).ready();
        return {};
      },
      signal: async ({ process: name, signal }) => {
        const { programPid: pid } = this.#process(name);
        if (pid !== null) process.kill(pid, signal);
        return { pid };
      },
      rebootHost: ({ host }) => this.#rebootHost(host).then(() => ({})),
      addManager: ({ id }) => this.#addManager(id).then(() => ({})),
      removeManager: async ({ id }) => ({ removed: await this.#removeManager(id) }),
      addContainer: async ({ name }) => ({ netns: await this.#network.addContainer(name) }),
      removeContainer: async ({ name }) => {
        await this.#network.removeContainer(name);
        rmSync(join(resolverDir, name), { force: true });
        return {};
      },
      setNameserver: async ({ container, address }) => {
        const text = `nameserver ${address}\noptions ndots:0 timeout:1 attempts:2\n`;
        writeFileSync(join(resolverDir, container), text);
        return {};
      },
      run: (params) => this.#run(params),
      interrupt: async ({ tag }) => {
        this.#runs.get(tag)?.kill('SIGINT');
        return {};
      },
      netnsList: async () => ({ names: this.#netns() }),
      shutdown: async () => {
        setImmediate(this.onShutdown);
        return {};
      },
    };
  }

  #netns(): string[] {
    return readdirSync('/run/netns').sort();
  }

  #run(params: {
    container?: string | undefined;
    netns?: string | undefined;
    world?: true | undefined;
    argv: string[];
    tag?: string | undefined;
    timeoutMs: number;
  }): Promise<RunResult> {
    const { container, world, argv, tag, timeoutMs } = params;
    const netns = container === undefined ? params.netns : netnsOfContainer(container);
    if (netns === undefined && world === undefined)
      throw new SkeinError('invalid_request', 'container, netns or world is needed');
    const [command, ...args] =
      netns === undefined ? argv : enterCommand(this.config.programs, netns, container, argv);
    return new Promise((resolve) => {
      const child = execFile(
        command as string,
        args,
        { timeout: timeoutMs, maxBuffer: 4 << 20 },
        (_error, stdout, stderr) => {
          if (tag !== undefined) this.#runs.delete(tag);
          resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
        },
      );
      if (tag !== undefined) this.#runs.set(tag, child);
    });
  }
}

/** The command line that runs `argv` in a network namespace and, for a container, with that container's resolver. */
export function enterCommand(
  programs: { nsenter: string; unshare: string; mount: string },
  netns: string,
  container: string | undefined,
  argv: readonly string[],
): string[] {
  const enter = [programs.nsenter, `--net=/run/netns/${netns}`, '--'];
  if (container === undefined) return [...enter, ...argv];
  const script = '[ ! -f "$0" ] || "$1" --bind "$0" /etc/resolv.conf || exit 125; shift; exec "$@"';
  const resolver = join(resolverDir, container);
  return [
    ...enter,
    programs.unshare,
    '--mount',
    '--',
    'sh',
    '-c',
    script,
    resolver,
    programs.mount,
    ...argv,
  ];
}

async function portOpen(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ port, host: '127.0.0.1' }, () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await delay(50);
  }
  throw new SkeinError('unavailable', `nats-server did not open port ${port}`);
}
