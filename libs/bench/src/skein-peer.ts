// Three Skein managers and their nats-server, with the commands, settings and disks that a local cluster gives them.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { clusterStatusContract, replicaStatusContract, SkeinError } from '@skein/contracts';
import {
  createLayout,
  credentialsFile,
  type LocalLayout,
  processList,
  type ProcessSpec,
  ServiceProcess,
  writeNatsFiles,
} from '@skein/local-cluster';
import { Messenger, parseCredentials } from '@skein/messaging';
import { StoreClient } from '@skein/store-client';
import type { Memory, Peer, PeerClient } from './peer';
import { cpuMsOf, memoryOfAll } from './processes';

export interface SkeinPeerOptions {
  /** The clone's root: the managers run from dist/ below it. */
  readonly home: string;
  readonly dataDir: string;
  readonly natsServer: string;
  /** Folder for the managers' CPU profiles; none are taken unless given. */
  readonly profileDir?: string | undefined;
}

const natsPort = 4222;
const wholeTimeoutMs = 60_000;

export class SkeinPeer implements Peer {
  readonly name = 'skein';
  readonly members = ['m1', 'm2', 'm3'];
  private readonly layout: LocalLayout;
  private readonly processes = new Map<string, ServiceProcess>();
  private messenger!: Messenger;
  private store!: StoreClient;

  constructor(private readonly options: SkeinPeerOptions) {
    const layout = createLayout({ managers: this.members.length, hosts: 0 });
    this.layout = { ...layout, natsUrl: `nats://127.0.0.1:${natsPort}` };
  }

  async start(): Promise<void> {
    const { home, dataDir, natsServer } = this.options;
    for (const folder of ['logs', ...this.members]) {
      mkdirSync(join(dataDir, folder), { recursive: true });
    }
    await writeNatsFiles(this.layout, dataDir, natsPort);
    const specs = processList({ layout: this.layout, home, dataDir, natsServer, httpFd: 0 });
    for (const spec of specs) {
      const isManager = spec.name.startsWith('consensus-');
      if (!isManager && spec.name !== 'nats') continue;
      const process = new ServiceProcess(isManager ? this.profiled(spec) : spec, {
        logDir: join(dataDir, 'logs'),
        nsenter: '',
        httpFd: 0,
        onExit: () => undefined,
      });
      this.processes.set(spec.name.replace('consensus-', ''), process);
    }
    this.processes.get('nats')?.start();
    this.messenger = await this.connect();
    this.store = StoreClient.connect(this.messenger);
    await this.revive(this.members);
    await this.whole();
  }

  async stop(): Promise<void> {
    this.store?.close();
    await this.messenger?.drain();
    await Promise.all(this.managers(this.members).map((process) => process.stop()));
    await this.processes.get('nats')?.stop();
    rmSync(this.options.dataDir, { recursive: true, force: true });
  }

  async leader(): Promise<string> {
    const status = await this.messenger.request(clusterStatusContract, {});
    return status.replicaId;
  }

  async kill(member: string): Promise<void> {
    await this.processes.get(member)?.kill();
  }

  async revive(members: readonly string[]): Promise<void> {
    for (const process of this.managers(members)) process.start();
    await Promise.all(this.managers(members).map((process) => process.ready()));
  }

  async whole(): Promise<void> {
    const deadline = performance.now() + wholeTimeoutMs;
    for (;;) {
      const missing = await this.missing().catch((thrown: unknown) => String(thrown));
      if (missing === undefined) return;
      if (performance.now() > deadline) {
        throw new SkeinError('unavailable', `The managers did not come together: ${missing}`);
      }
      await delay(50);
    }
  }

  /** What keeps the managers from being whole; undefined if nothing does. */
  private async missing(): Promise<string | undefined> {
    const timeoutMs = 1_000;
    const leading = await this.messenger.request(clusterStatusContract, {}, { timeoutMs });
    const behind = leading.members.find(({ healthy }) => !healthy);
    if (behind !== undefined) return `${behind.id} does not follow`;
    for (const instance of this.members) {
      const own = await this.messenger.request(replicaStatusContract, {}, { instance, timeoutMs });
      if (own.appliedIndex < leading.commitIndex) return `${instance} is behind`;
    }
    return undefined;
  }

  async client({ batching = true }: { batching?: boolean } = {}): Promise<PeerClient> {
    const messenger = await this.connect();
    const store = StoreClient.connect(messenger, { timeoutMs: 30_000, batching });
    return {
      put: async (key, value) => void (await store.put({ key, value })),
      get: async (key) => (await store.get(key))?.value,
      putAll: async (keys, value) => {
        await store.txn({ success: keys.map((key) => ({ type: 'put', key, value })) });
      },
      watch: async (prefix, onValues) => {
        const watch = store.watch({
          prefix,
          onEvents: (revisions) =>
            onValues(revisions.flatMap(({ events }) => events.map(({ kv }) => kv.value))),
        });
        await watch.opened;
        return () => watch.close();
      },
      close: async () => {
        store.close();
        await messenger.drain();
      },
    };
  }

  async attempt(timeoutMs: number, read = false): Promise<void> {
    if (read) await this.store.get('bench/attempt', { timeoutMs });
    else await this.store.put({ key: 'bench/attempt', value: 'x' }, { timeoutMs });
  }

  memory(): Memory {
    return memoryOfAll(this.pids());
  }

  cpuMs(): number {
    return cpuMsOf(this.pids());
  }

  private managers(members: readonly string[]): ServiceProcess[] {
    return members.flatMap((member) => this.processes.get(member) ?? []);
  }

  private pids(): (number | null)[] {
    return [...this.processes.values()].map(({ pid }) => pid);
  }

  private connect(): Promise<Messenger> {
    const file = credentialsFile(this.options.dataDir, 'people');
    const credentials = parseCredentials(readFileSync(file, 'utf8'));
    return Messenger.connect({ servers: [this.layout.natsUrl], name: 'bench', credentials });
  }

  private profiled(spec: ProcessSpec): ProcessSpec {
    const { profileDir } = this.options;
    if (profileDir === undefined) return spec;
    const [node, ...rest] = spec.command;
    const flags = ['--cpu-prof', `--cpu-prof-dir=${join(profileDir, spec.name)}`];
    return { ...spec, command: [node ?? '', ...flags, ...rest] };
  }
}
