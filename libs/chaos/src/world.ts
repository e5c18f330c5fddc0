// The cluster that a run maltreats: managers, two of each service, hosts with real agents, each process where it can be cut off,
// in a private world of which nothing stays. Knows how to reach it and how to look inside; decides nothing.

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { commandInWorld, findProgram, LocalCluster, type RunResult } from '@skein/local-cluster';
import { hostIds, managerIds, replicas } from './plan';
import { Rest } from './rest';

export interface WorldOptions {
  readonly home: string;
  readonly path: string;
  readonly progress: (step: string) => void;
  readonly signal: AbortSignal;
}

export class World {
  readonly rest: Rest;

  private constructor(
    readonly cluster: LocalCluster,
    private readonly options: WorldOptions,
  ) {
    this.rest = new Rest(cluster.url, cluster.token, options.signal);
  }

  static async start(options: WorldOptions): Promise<World> {
    const { home, path, progress, signal } = options;
    const cluster = await LocalCluster.startPassing({
      home,
      path,
      hosts: hostIds.length,
      managers: managerIds.length,
      replicas,
      apart: true,
      progress,
      signal,
    });
    return new World(cluster, options);
  }

  get dataDir(): string {
    return this.cluster.record.dataDir;
  }

  stop(): Promise<void> {
    return this.cluster.stop();
  }

  kill(process: string): Promise<unknown> {
    return this.cluster.control.call('kill', { process });
  }

  start(process: string): Promise<unknown> {
    return this.cluster.control.call('start', { process });
  }

  signal(process: string, signal: 'SIGSTOP' | 'SIGCONT'): Promise<unknown> {
    return this.cluster.control.call('signal', { process, signal });
  }

  /** Runs a program in the world's own network, or in a named namespace of it. */
  run(argv: string[], netns?: string): Promise<RunResult> {
    const place = netns === undefined ? { world: true as const } : { netns };
    return this.cluster.control.call('run', { ...place, argv });
  }

  /** As `run`; throws what the program complained of. */
  async output(argv: string[], netns?: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, netns);
    if (code !== 0) throw new Error(`${argv.slice(0, 3).join(' ')}: ${stderr.trim() || code}`);
    return stdout;
  }

  /** Starts a hidden command of the CLI inside, spoken to over its standard streams. It ends with the world. */
  inside(command: string): ChildProcess {
    const { home, path } = this.options;
    const find = (program: 'nsenter' | 'unshare' | 'mount') => findProgram(program, home, path);
    const programs = { nsenter: find('nsenter'), unshare: find('unshare'), mount: find('mount') };
    const cli = [process.execPath, '--no-warnings', join(home, 'dist', 'cli.js'), command];
    const [program = '', ...args] = commandInWorld(
      this.cluster.record,
      programs,
      { world: true },
      cli,
    );
    return spawn(program, args, { cwd: home, stdio: ['pipe', 'pipe', 'inherit'] });
  }
}
