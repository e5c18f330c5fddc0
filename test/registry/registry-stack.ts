// NATS, one replica of consensus, ipam and registries as processes of their own; agents are played by the test, which speaks
// with all of them over NATS. No kernel is touched.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  agentStatusContract,
  heartbeatContract,
  programContract,
  registerHostContract,
  type Reachability,
  type Share,
} from '@skein/contracts';
import { Messenger } from '@skein/messaging';
import { KeptShare } from '@skein/share';
import { build } from 'esbuild';
import { startNatsServer, type NatsServer } from '../support/nats-server';

const root = new URL('../..', import.meta.url).pathname;
const apps = ['consensus', 'ipam', 'registry'];

export class Service {
  constructor(
    readonly child: ChildProcess,
    readonly name: string,
  ) {}

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = new Promise<number | null>((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    return ended;
  }

  async residentMib(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid ?? 0}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024;
  }
}

export class RegistryStack {
  readonly #services: Service[] = [];
  readonly #agents: PlayedAgent[] = [];

  private constructor(
    readonly folder: string,
    readonly nats: NatsServer,
    readonly messenger: Messenger,
    readonly environmentOf: (app: string) => Record<string, string>,
  ) {}

  static async start(
    environmentOf: (app: string) => Record<string, string> = () => ({}),
  ): Promise<RegistryStack> {
    const folder = await mkdtemp(join(tmpdir(), 'skein-registry-'));
    await bundle(folder);
    const nats = await startNatsServer();
    const messenger = await Messenger.connect({ servers: [nats.url], name: 'test' });
    const stack = new RegistryStack(folder, nats, messenger, environmentOf);
    const dataDir = join(folder, 'm1');
    const environment = { SKEIN_VOTERS: 'm1', SKEIN_DATA_DIR: dataDir };
    await stack.service('consensus', 'm1', environment);
    await stack.service('ipam', 'ipam-1', {});
    return stack;
  }

  registry(id: string): Promise<Service> {
    return this.service('registry', id, { SKEIN_DATA_DIR: join(this.folder, id) });
  }

  async service(app: string, id: string, environment: Record<string, string>): Promise<Service> {
    const flags = ['--max-semi-space-size=1', '--optimize-for-size', '--enable-source-maps'];
    const child = spawn(process.execPath, [...flags, join(this.folder, 'dist', `${app}.js`)], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        SKEIN_NATS_URL: this.nats.url,
        SKEIN_REPLICA_ID: id,
        SKEIN_READY_FD: '3',
        SKEIN_CHECK_REPLIES: '1',
        SKEIN_LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'error',
        ...this.environmentOf(app),
        ...environment,
      },
    });
    child.stdout?.pipe(process.stderr);
    await new Promise<void>((resolve, reject) => {
      child.stdio[3]?.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`${app} ended with ${code}`)));
    });
    const service = new Service(child, `${app} ${id}`);
    this.#services.push(service);
    return service;
  }

  async agent(id: string, number: number): Promise<PlayedAgent> {
    const agent = new PlayedAgent(id, number, this.nats.url);
    this.#agents.push(agent);
    await agent.start();
    return agent;
  }

  async stop(): Promise<void> {
    for (const agent of this.#agents) await agent.kill();
    for (const service of this.#services.toReversed()) await service.kill('SIGKILL');
    await this.messenger.drain();
    await this.nats.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Takes pushes, reports for duty and beats as a real agent does, without a kernel. */
export class PlayedAgent {
  readonly kept = new KeptShare();
  programmed = 0;
  pushes = 0;
  bootId = 'boot-1';
  /** What its gossip thinks dead, and alive. */
  dead: string[] = [];
  alive: string[] = [];
  /** What it found of the ways to others. */
  reachability: Reachability[] = [];
  #messenger: Messenger | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly id: string,
    readonly number: number,
    readonly natsUrl: string,
  ) {}

  async start(): Promise<void> {
    const messenger = await Messenger.connect({ servers: [this.natsUrl], name: this.id });
    this.#messenger = messenger;
    const service = messenger.service({ name: 'host-agent', version: '0.1.0', description: '' });
    const instance = this.id;
    service.serve(
      programContract,
      (push) => {
        this.pushes += 1;
        const fits = push.kind === 'snapshot' || push.base === this.programmed;
        if (push.kind === 'snapshot') this.kept.replace(push.share);
        else if (fits) this.kept.apply(push.delta);
        if (fits) this.programmed = push.revision;
        return { ...this.#report(), snapshotWanted: !fits, faults: [] };
      },
      { instance },
    );
    service.serve(
      agentStatusContract,
      () => ({ ...this.#report(), networks: [], repairs: {}, members: [], rows: this.#rows() }),
      { instance },
    );
    await this.register();
    this.#timer = setInterval(() => void this.#beat(), 250);
  }

  /** Gone at once, with nothing said. */
  async kill(): Promise<void> {
    clearInterval(this.#timer);
    const messenger = this.#messenger;
    this.#messenger = undefined;
    await messenger?.drain();
  }

  async register(): Promise<void> {
    const { id, number, bootId } = this;
    await this.#messenger?.request(
      registerHostContract,
      {
        id,
        name: id,
        vtep: `192.0.2.${number}`,
        gossip: `192.0.2.${number}:7946`,
        underlayMtu: 1_500,
        bootId,
      },
      { retryUnavailable: true, timeoutMs: 10_000 },
    );
  }

  get share(): Share {
    return this.kept.toShare();
  }

  async #beat(): Promise<void> {
    const { programmed, digest } = this.#report();
    const think = (state: 'dead' | 'alive', hosts: readonly string[]) =>
      hosts.map((each) => ({ host: each, state, incarnation: 1 }));
    const opinions = [...think('dead', this.dead), ...think('alive', this.alive)];
    const { id: host, bootId, reachability } = this;
    try {
      const reply = await this.#messenger?.request(
        heartbeatContract,
        { host, bootId, programmed, digest, repairs: {}, opinions, reachability },
        { timeoutMs: 1_000 },
      );
      if (reply?.registerAgain) await this.register();
    } catch {
      // The next beat tries again.
    }
  }

  #report() {
    const { id: host, bootId, programmed, kept } = this;
    return { host, bootId, programmed, digest: kept.digest };
  }

  #rows() {
    return this.share.endpoints
      .filter(({ host }) => host !== this.id)
      .flatMap(({ networkId, mac, addresses }) => [
        { networkId, kind: 'fdb' as const, key: mac, value: 'vxlan0' },
        ...addresses.map((address) => {
          const key = address.split('/')[0] ?? '';
          return { networkId, kind: 'neighbor' as const, key, value: mac };
        }),
      ]);
  }
}

async function bundle(folder: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries([
      ...apps.map((app) => [app, `apps/${app}/src/main.ts`]),
      ['raft-log-worker', 'libs/raft-sqlite/src/log-worker.ts'],
    ]),
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
  for (const name of ['node_modules', 'package.json', 'prisma']) {
    await symlink(join(root, name), join(folder, name));
  }
}
