// A whole Skein with a Docker engine on each host, for a bench: the engines' clients, the image that they run, and the places in
// which programs run.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';
import {
  DockerClient,
  enginePaths,
  imageName,
  importImage,
  lackingForEngines,
  makeRootFolder,
} from '@skein/docker-engines';
import { BenchStack, type BenchStackOptions } from '../stack/bench-stack';
import { Places } from './places';

export const engineHosts = ['h1', 'h2', 'h3'] as const;
export type EngineHost = (typeof engineHosts)[number];

export class EngineStack {
  private constructor(
    readonly stack: BenchStack,
    readonly places: Places,
    readonly engines: Readonly<Record<EngineHost, DockerClient>>,
  ) {}

  /** Throws `unavailable` with what this machine lacks. */
  static async start(
    options: Omit<BenchStackOptions, 'hosts' | 'engines'>,
    signal: AbortSignal,
  ): Promise<EngineStack> {
    const { home, path } = options;
    const lacking = lackingForEngines(path);
    if (lacking !== null) throw new SkeinError('unavailable', `no Docker engines here: ${lacking}`);
    const parts = { ...options, hosts: engineHosts.length, engines: true };
    const stack = await BenchStack.start(parts, signal);
    const { dataDir } = stack.cluster.record;
    const client = (host: EngineHost) => new DockerClient(enginePaths(dataDir, host).socket, path);
    const engines = { h1: client('h1'), h2: client('h2'), h3: client('h3') };
    const folder = mkdtempSync(join(tmpdir(), 'skein-image-'));
    try {
      makeRootFolder(folder, path);
      await importImage(Object.values(engines), folder);
    } catch (error) {
      await stack.stop();
      throw error;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return new EngineStack(stack, new Places(stack.cluster, { home, path }), engines);
  }

  /** A container that only waits, on no network or on the one given. Answers its pid in the private world. */
  async container(
    host: EngineHost,
    name: string,
    ...networking: readonly string[]
  ): Promise<number> {
    const engine = this.engines[host];
    const args = networking.length === 0 ? ['--network', 'none'] : networking;
    await engine.run('run', '-d', '--init', '--name', name, ...args, imageName, 'sleep', '86400');
    return Number(await engine.run('inspect', '-f', '{{.State.Pid}}', name));
  }

  stop(): Promise<void> {
    return this.stack.stop();
  }
}
