// Three replicas as real processes with real disks and a real NATS server, for a test to kill and start as it likes. Built into a
// folder of the test's own; everything is gone after `stop`.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterStatusContract, replicaStatusContract, type ClusterStatus } from '@skein/contracts';
import { Messenger } from '@skein/messaging';
import { StoreClient } from '@skein/store-client';
import { build } from 'esbuild';
import { startNatsServer, type NatsServer } from '../support/nats-server';

const root = join(import.meta.dirname, '../..');
export const replicaIds = ['r1', 'r2', 'r3'] as const;

export class ConsensusCluster {
  private readonly processes = new Map<string, ChildProcess>();
  private readonly messengers: Messenger[] = [];
  private readonly logs = new Map<string, string>();
  messenger!: Messenger;

  private constructor(
    private readonly folder: string,
    private readonly nats: NatsServer,
  ) {}

  static async start(): Promise<ConsensusCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'skein-consensus-'));
    await buildInto(join(folder, 'dist'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const cluster = new ConsensusCluster(folder, await startNatsServer());
    cluster.messenger = await cluster.connect();
    await Promise.all(replicaIds.map((id) => cluster.startReplica(id)));
    return cluster;
  }

  async stop(): Promise<void> {
    for (const messenger of this.messengers) await messenger.drain();
    await Promise.all(replicaIds.map((id) => this.kill(id)));
    await this.nats.stop();
    rmSync(this.folder, { recursive: true, force: true });
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
    const child = this.spawnReplica(id, env);
    this.processes.set(id, child);
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new Error(`${id} ended with ${code}\n${this.log(id)}`)));
    });
  }

  /** Runs a replica that is expected not to start, and gives what it said. */
  async failingReplica(id: string, env: Record<string, string>): Promise<string> {
    const child = this.spawnReplica(id, env);
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const limit = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(limit);
    return this.log(id);
  }

  /** kill -9, and waits until the process is gone. */
  async kill(id: string): Promise<void> {
    const child = this.processes.get(id);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGKILL');
    await ended;
  }

  /** To freeze a replica and let it go on. */
  signal(id: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.processes.get(id)?.kill(signal);
  }

  /** Kills the NATS server and starts it again where it was. */
  restartNats(): Promise<void> {
    return this.nats.restart();
  }

  /** The leader in office, as it answers itself. */
  async leader(): Promise<ClusterStatus> {
    return this.messenger.request(
      clusterStatusContract,
      {},
      { retryUnavailable: true, timeoutMs: 10_000 },
    );
  }

  status(instance: string): Promise<ClusterStatus> {
    return this.messenger.request(replicaStatusContract, {}, { instance, timeoutMs: 2_000 });
  }

  dataDir(id: string): string {
    return join(this.folder, id);
  }

  private log(id: string): string {
    return this.logs.get(id) ?? '';
  }

  private spawnReplica(id: string, env: Record<string, string>): ChildProcess {
    const child = spawn(process.execPath, [join(this.folder, 'dist', 'consensus.js')], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        SKEIN_NATS_URL: this.nats.url,
        SKEIN_CLUSTER_ID: 'test',
        SKEIN_REPLICA_ID: id,
        SKEIN_VOTERS: replicaIds.join(','),
        SKEIN_DATA_DIR: this.dataDir(id),
        SKEIN_EXIT_WITH_PARENT: '1',
        SKEIN_CHECK_REPLIES: '1',
        ...env,
      },
    });
    const keep = (chunk: Buffer): void =>
      void this.logs.set(id, (this.log(id) + chunk.toString()).slice(-20_000));
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    return child;
  }
}

async function buildInto(outdir: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: {
      consensus: 'apps/consensus/src/main.ts',
      'raft-log-worker': 'libs/raft-sqlite/src/log-worker.ts',
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
