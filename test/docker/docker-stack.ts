// A whole cluster whose hosts have real Docker engines, for a test file: started once, with an image on each.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@skein/chaos';
import {
  DockerClient,
  type DockerAnswer,
  enginePaths,
  hierarchies,
  imageName,
  importImage,
  makeRootFolder,
} from '@skein/docker-engines';
import { Stack } from '../support/stack';

export const hostIds = ['h1', 'h2', 'h3'] as const;
export type HostId = (typeof hostIds)[number];

export interface EndpointAnswer {
  readonly id: string;
  readonly host: string;
  readonly addresses: readonly string[];
  readonly state: string;
}

const settleMs = 30_000;

export class DockerStack {
  private constructor(
    readonly stack: Stack,
    readonly engines: Readonly<Record<HostId, DockerClient>>,
  ) {}

  /** `path`: a PATH whose engine is not the machine's own. */
  static async start(path = process.env['PATH'] ?? ''): Promise<DockerStack> {
    const stack = await Stack.start({ engines: true, path });
    const { dataDir } = stack.cluster.record;
    const client = (host: HostId) => new DockerClient(enginePaths(dataDir, host).socket, path);
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
    return new DockerStack(stack, engines);
  }

  /** Declared at the gateway; one that is attachable gets an object on each engine from the host's agent. */
  async network(name: string, cidr: string, more: object = {}): Promise<{ vni: number }> {
    const made = await this.stack.call('POST', '/v1/networks', {
      name,
      subnets: [{ cidr }],
      ...more,
    });
    if (made.status !== 201) throw new Error(`${name}: ${JSON.stringify(made.body)}`);
    if (made.body.attachable === true) await this.#hasObjects(name);
    return made.body;
  }

  async #hasObjects(name: string): Promise<void> {
    const missing = await until(60_000, async () => {
      const looks = hostIds.map((host) => this.engines[host].try('network', 'inspect', name));
      return (await Promise.all(looks)).flatMap(({ code, stderr }) => (code === 0 ? [] : [stderr]));
    });
    if (missing.length > 0) throw new Error(missing.join('; '));
  }

  /** An object that somebody makes by hand for a network of the cluster; whatever comes of it. */
  object(host: HostId, name: string, cidr: string, ...more: string[]): Promise<DockerAnswer> {
    const plugin = ['-d', 'skein', '--ipam-driver', 'skein', '-o', `net=${name}`];
    const ipam = ['--ipam-opt', `net=${name}`, '--subnet', cidr];
    return this.engines[host].try('network', 'create', ...plugin, ...ipam, ...more, name);
  }

  /** A container that only waits. */
  run(host: HostId, name: string, ...args: readonly string[]): Promise<string> {
    return this.engines[host].run(...runArgs(name, args));
  }

  tryRun(host: HostId, name: string, ...args: readonly string[]): Promise<DockerAnswer> {
    return this.engines[host].try(...runArgs(name, args));
  }

  addressOf(host: HostId, name: string, network: string): Promise<string> {
    const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
    return this.engines[host].run('inspect', '-f', format, name);
  }

  /** What docker exec says of pings to the address, if none is ever answered; nothing if one is. */
  unreached(host: HostId, name: string, address: string): Promise<readonly string[]> {
    return until(settleMs, async () => {
      const args = ['exec', name, 'ping', '-c', '1', '-W', '1', address];
      const { code, stdout, stderr } = await this.engines[host].try(...args);
      return code === 0 ? [] : [`${name}@${host} to ${address}: ${stdout}${stderr}`];
    });
  }

  async endpoints(network: string): Promise<readonly EndpointAnswer[]> {
    const { body } = await this.stack.call('GET', `/v1/networks/${network}/endpoints?limit=1000`);
    return body.endpoints;
  }

  /** Addresses in use, without their prefix lengths. */
  async addresses(network: string): Promise<string[]> {
    const endpoints = await this.endpoints(network);
    return endpoints.flatMap((each) => each.addresses.map((text) => text.split('/')[0] ?? ''));
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

function runArgs(name: string, args: readonly string[]): string[] {
  return ['run', '-d', '--init', '--name', name, ...args, imageName, 'sleep', '86400'];
}
