// One Docker engine in a private world of its own, for a test file. The world's first process waits for the test to end: whatever
// ends that, the kernel takes away engine, containers, links and mounts, and a janitor the control groups.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  cgroupJanitor,
  DockerClient,
  engineAnswers,
  engineCommand,
  enginePaths,
  prepareEngine,
} from '@skein/docker-engines';
import { until } from '@skein/chaos';
import { Attendant } from '@skein/local-cluster';

const host = 'lone';
/** Ends with its standard input, and everything else in the world with it. */
const firstProcess = [
  'mount -t tmpfs tmpfs /run',
  'ip link set lo up',
  '"$@" </dev/null 3>&- & read -r _',
].join(' && ');

export class LoneEngine {
  private constructor(
    readonly folder: string,
    readonly client: DockerClient,
    private readonly world: ChildProcess,
  ) {}

  static async start(): Promise<LoneEngine> {
    const folder = mkdtempSync(join(tmpdir(), 'skein-engine-'));
    const cgroupParent = `/skein-engine-${process.pid}`;
    const janitor = new Attendant(cgroupJanitor(cgroupParent));
    prepareEngine(folder, host);
    const programs = { unshare: 'unshare', mount: 'mount' };
    const engine = engineCommand({ dataDir: folder, host, programs, cgroupParent });
    const privately = ['--mount', '--net', '--ipc', '--pid', '--fork', '--kill-child'];
    const world = spawn(
      'unshare',
      [...privately, '--mount-proc', '--', 'sh', '-c', firstProcess, 'sh', ...engine],
      { stdio: ['pipe', 'ignore', 'ignore', janitor.lifeline] },
    );
    janitor.letGo();
    const { socket } = enginePaths(folder, host);
    const silent = await until(60_000, async () => ((await engineAnswers(socket)) ? [] : [socket]));
    const started = new LoneEngine(folder, new DockerClient(socket), world);
    if (silent.length === 0) return started;
    await started.stop();
    throw new Error('the engine does not answer');
  }

  get socket(): string {
    return this.client.socket;
  }

  /** Begins a command line that runs where the engine publishes its ports. */
  get inside(): readonly string[] {
    return ['nsenter', '--target', String(this.world.pid), '--net', '--'];
  }

  async stop(): Promise<void> {
    if (this.world.exitCode === null && this.world.signalCode === null) {
      const ended = once(this.world, 'exit');
      this.world.stdin?.destroy();
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
