// Three replicas as real processes with real disks and a real NATS server, for a test to kill, freeze, cut off and start as it
// likes. Built into a folder of the test's own; everything is gone after `stop`.

import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  changeMembersContract,
  clusterStatusContract,
  replicaHashContract,
  replicaStatusContract,
  SkeinError,
  transferLeadershipContract,
  type ClusterStatus,
  type RequestOf,
} from '@skein/contracts';
import { Messenger } from '@skein/messaging';
import { StoreClient } from '@skein/store-client';
import { build } from 'esbuild';
import { startNatsServer, type NatsServer } from '../support/nats-server';
import { Links } from './links';
import { ReplicaDisk } from './replica-disk';
import { ReplicaProcess, type Ended } from './replica-process';
import { wait } from './waiting';

const root = join(import.meta.dirname, '../..');
export const replicaIds = ['r1', 'r2', 'r3'] as const;
export const clusterId = 'test';

type Environment = Readonly<Record<string, string>>;

export interface ClusterOptions {
  /** For every replica, over what it gets anyway. */
  readonly env?: Environment | ((id: string) => Environment);
  /** Size in MiB of the disks of their own that these replicas get. */
  readonly disks?: Readonly<Record<string, number>>;
}

export class ConsensusCluster {
  private readonly processes = new Map<string, ReplicaProcess>();
  private readonly disks = new Map<string, ReplicaDisk>();
  private readonly messengers: Messenger[] = [];
  messenger!: Messenger;

  private constructor(
    private readonly folder: string,
    private readonly nats: NatsServer,
    readonly links: Links,
    private readonly options: ClusterOptions,
  ) {}

  static async start(options: ClusterOptions = {}): Promise<ConsensusCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'skein-consensus-'));
    await buildInto(join(folder, 'dist'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const nats = await startNatsServer();
    const links = Links.start(join(folder, 'dist', 'link-proxy.js'), nats.port);
    const cluster = new ConsensusCluster(folder, nats, links, options);
    cluster.messenger = await cluster.connect();
    for (const [id, sizeMiB] of Object.entries(options.disks ?? {})) {
      cluster.disks.set(id, await ReplicaDisk.create(join(folder, `disk-${id}`), sizeMiB));
    }
    await Promise.all(replicaIds.map((id) => cluster.startReplica(id)));
    return cluster;
  }

  async stop(): Promise<void> {
    for (const messenger of this.messengers) await messenger.drain();
    await this.killAll();
    await this.links.stop();
    await this.nats.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get natsUrl(): string {
    return this.nats.url;
  }

  async connect(): Promise<Messenger> {
    const messenger = await Messenger.connect({ servers: [this.nats.url], name: 'test' });
    this.messengers.push(messenger);
    return messenger;
  }

  async client(): Promise<StoreClient> {
    return StoreClient.connect(await this.connect(), { timeoutMs: 10_000 });
  }

  /** Resolves when the replica has said that it is ready. */
  async startReplica(id: string, env: Record<string, string> = {}): Promise<void> {
    await (await this.spawnReplica(id, env)).ready();
  }

  /** Runs a replica that is expected not to start, and gives what it said. */
  async failingReplica(id: string, env: Record<string, string> = {}): Promise<string> {
    const replica = await this.spawnReplica(id, env);
    const limit = setTimeout(() => replica.signal('SIGKILL'), 10_000);
    await replica.ended;
    clearTimeout(limit);
    return replica.output;
  }

  /** Starts it and waits for nothing. */
  async spawnReplica(id: string, env: Record<string, string> = {}): Promise<ReplicaProcess> {
    const { env: common } = this.options;
    const replica = new ReplicaProcess({
      wrapper: this.disks.get(id)?.wrapper ?? [],
      program: join(this.folder, 'dist', 'consensus.js'),
      env: {
        PATH: process.env['PATH'] ?? '',
        SKEIN_NATS_URL: await this.links.url(id),
        SKEIN_CLUSTER_ID: clusterId,
        SKEIN_REPLICA_ID: id,
        SKEIN_VOTERS: replicaIds.join(','),
        SKEIN_DATA_DIR: this.dataDir(id),
        SKEIN_EXIT_WITH_PARENT: '1',
        SKEIN_CHECK_REPLIES: '1',
        ...(typeof common === 'function' ? common(id) : common),
        ...env,
      },
    });
    this.processes.set(id, replica);
    return replica;
  }

  process(id: string): ReplicaProcess {
    const found = this.processes.get(id);
    if (found === undefined) throw new Error(`replica ${id} was never started`);
    return found;
  }

  isRunning(id: string): boolean {
    return this.processes.get(id)?.isRunning ?? false;
  }

  /** kill -9, and waits until the process is gone. */
  async kill(id: string): Promise<void> {
    await this.processes.get(id)?.end('SIGKILL');
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.processes.keys()].map((id) => this.kill(id)));
  }

  /** As a service manager stops it: SIGTERM, and waits until it has ended by itself. */
  terminate(id: string): Promise<Ended> {
    return this.process(id).end('SIGTERM');
  }

  /** To freeze a replica and let it go on. */
  signal(id: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.processes.get(id)?.signal(signal);
  }

  /** Kills the NATS server and starts it again where it was. */
  restartNats(): Promise<void> {
    return this.nats.restart();
  }

  /** The leader in office, as it answers itself. Asked anew soon: a question to one that was just killed is lost. */
  leader(): Promise<ClusterStatus> {
    return this.leaderOtherThan(null);
  }

  /** The first leader in office that is not this one. */
  async leaderOtherThan(id: string | null, limitMs = 10_000): Promise<ClusterStatus> {
    for (const limit = performance.now() + limitMs; ;) {
      const answer = await this.messenger
        .request(clusterStatusContract, {}, { timeoutMs: 500 })
        .catch(() => null);
      if (answer !== null && answer.role === 'leader' && answer.replicaId !== id) return answer;
      if (performance.now() > limit)
        throw new Error(id === null ? 'nobody leads' : `no leader but ${id} took office`);
      await wait(5);
    }
  }

  /** Hands leadership to this replica; resolves when it has it or could not be given it. */
  async transfer(to: string): Promise<void> {
    await this.messenger.request(transferLeadershipContract, { to }).catch(() => undefined);
  }

  /** Asked again while the leader says that it can't be done yet. */
  async changeMembers(change: RequestOf<typeof changeMembersContract>): Promise<void> {
    const waiting = new Set(['learner_behind', 'term_not_opened', 'change_in_progress']);
    for (const limit = performance.now() + 15_000; ;) {
      try {
        await this.messenger.request(changeMembersContract, change, { retryUnavailable: true });
        return;
      } catch (thrown) {
        const { code } = SkeinError.from(thrown);
        if (!waiting.has(code) || performance.now() > limit) throw thrown;
        await wait(100);
      }
    }
  }

  /** These replicas hold the same, to the last byte. */
  async areEqual(ids: readonly string[]): Promise<boolean> {
    const ask = (instance: string) =>
      this.messenger.request(replicaHashContract, {}, { instance, timeoutMs: 1_000 });
    const all = await Promise.all(ids.map(ask));
    return new Set(all.map(({ appliedIndex, hash }) => `${appliedIndex} ${hash}`)).size === 1;
  }

  /** As the replica sees itself. Throws what it said last if it has ended. */
  async status(instance: string): Promise<ClusterStatus> {
    try {
      return await this.messenger.request(
        replicaStatusContract,
        {},
        { instance, timeoutMs: 2_000 },
      );
    } catch (thrown) {
      if (this.isRunning(instance)) throw thrown;
      const said = this.process(instance).output.slice(-4_000);
      throw new Error(`replica ${instance} has ended\n${said}`, { cause: thrown });
    }
  }

  dataDir(id: string): string {
    const disk = this.disks.get(id);
    return disk === undefined ? join(this.folder, id) : join(disk.mountPoint, 'data');
  }

  disk(id: string): ReplicaDisk {
    const disk = this.disks.get(id);
    if (disk === undefined) throw new Error(`replica ${id} has no disk of its own`);
    return disk;
  }
}

async function buildInto(outdir: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: {
      consensus: 'apps/consensus/src/main.ts',
      'raft-log-worker': 'libs/raft-sqlite/src/log-worker.ts',
      'link-proxy': 'test/consensus/link-proxy.ts',
    },
    outdir,
    outExtension: { '.js': '.js' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    chunkNames: 'chunks/[name]-[hash]',
    tsconfig: join(root, 'tsconfig.json'),
    logLevel: 'error',
  });
}
