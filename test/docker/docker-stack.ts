// A whole cluster whose hosts have real Docker engines, for a test file: started once, with an image on each.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DockerClient,
  enginePaths,
  hierarchies,
  importImage,
  makeRootFolder,
} from '@skein/docker-engines';
import { Stack } from '../support/stack';

export const hostIds = ['h1', 'h2', 'h3'] as const;
export type HostId = (typeof hostIds)[number];

export class DockerStack {
  private constructor(
    readonly stack: Stack,
    readonly engines: Readonly<Record<HostId, DockerClient>>,
  ) {}

  static async start(): Promise<DockerStack> {
    const stack = await Stack.start({ engines: true });
    const { dataDir } = stack.cluster.record;
    const client = (host: HostId) => new DockerClient(enginePaths(dataDir, host).socket);
    const engines = { h1: client('h1'), h2: client('h2'), h3: client('h3') };
    const folder = mkdtempSync(join(tmpdir(), 'skein-image-'));
    try {
      makeRootFolder(folder);
      await importImage(Object.values(engines), folder);
    } catch (error) {
      await stack.stop();
      throw error;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return new DockerStack(stack, engines);
  }

  /** Those of the containers, in every hierarchy that there is. */
  async controlGroups(): Promise<string[]> {
    const { body } = await this.stack.call('GET', '/v1/cluster');
    const name = `skein-${body.clusterId}`;
    return hierarchies()
      .map((folder) => join(folder, name))
      .filter((group) => existsSync(group));
  }

  stop(): Promise<void> {
    return this.stack.stop();
  }
}
