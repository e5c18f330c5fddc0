// The stage of a local cluster, made with iproute2 inside the private world: one bridge as the underlay, a network namespace
// a host joined to it, and a bare network namespace a container. Knows nothing of overlays: those are the agents' work.

import { execFile } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SkeinError } from '@skein/contracts';
import { type LocalLayout, placesOf, underlayAddress, underlayPrefixLength } from './layout';
import { agentNetnsPrefix, netnsOfHost } from './service-list';

const run = promisify(execFile);

export const netnsOfContainer = (name: string): string => `c-${name}`;
/** The underlay bridge's port that leads to a host. */
export const underlayPort = (hostId: string): string => `u-${hostId}`;

/** A step of the stage that the kernel refused, told as the step and the kernel's own words. */
async function stage(step: string, program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(program, args);
    return stdout;
  } catch (error) {
    const words = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
    throw new SkeinError('unavailable', `can't ${step}: ${words}`, {
      facts: { step, program, args },
    });
  }
}

export class Network {
  constructor(private readonly programs: { ip: string; mount: string }) {}

  #ip(step: string, ...args: string[]): Promise<string> {
    return stage(step, this.programs.ip, args);
  }

  /** A private /run, so that namespaces made here have names that nobody outside sees. */
  async prepare(): Promise<void> {
    await stage('mount a private /run', this.programs.mount, [
      '-t',
      'tmpfs',
      '-o',
      'mode=755',
      'tmpfs',
      '/run',
    ]);
    mkdirSync('/run/netns', { recursive: true });
    this.#keepResolverFile();
    await this.#ip('raise the loopback', 'link', 'set', 'lo', 'up');
    await this.#ip(
      'make a VXLAN device',
      'link',
      'add',
      'skeincheck',
      'type',
      'vxlan',
      'id',
      '1',
      'dstport',
      '4789',
    );
    await this.#ip('remove a VXLAN device', 'link', 'del', 'skeincheck');
  }

  /** /etc/resolv.conf may be a link into the /run that is now hidden; containers mount theirs over it. */
  #keepResolverFile(): void {
    const path = '/etc/resolv.conf';
    if (existsSync(path) || !lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return;
    const target = resolve('/etc', readlinkSync(path));
    if (!target.startsWith('/run/')) return;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, '');
  }

  async build(layout: LocalLayout): Promise<void> {
    const prefix = `/${underlayPrefixLength}`;
    await this.#ip('make a bridge', 'link', 'add', 'underlay', 'type', 'bridge');
    await this.#ip(
      'address the bridge',
      'addr',
      'add',
      `${underlayAddress}${prefix}`,
      'dev',
      'underlay',
    );
    await this.#ip('raise the bridge', 'link', 'set', 'underlay', 'up');
    const hosts = layout.hosts.map(({ id, address }) => ({
      netns: netnsOfHost(id),
      port: underlayPort(id),
      address,
    }));
    for (const { netns, port, address } of [...hosts, ...placesOf(layout)]) {
      await this.#ip('make a namespace', 'netns', 'add', netns);
      await this.#ip(
        'make a veth pair',
        'link',
        'add',
        port,
        'type',
        'veth',
        'peer',
        'name',
        'eth0',
        'netns',
        netns,
      );
      await this.#ip('join the bridge', 'link', 'set', port, 'master', 'underlay', 'up');
      await this.#ip(
        'address a host',
        '-n',
        netns,
        'addr',
        'add',
        `${address}${prefix}`,
        'dev',
        'eth0',
      );
      await this.#ip('raise a host', '-n', netns, 'link', 'set', 'eth0', 'up');
      await this.#ip('raise a loopback', '-n', netns, 'link', 'set', 'lo', 'up');
    }
  }

  async addContainer(name: string): Promise<string> {
    const netns = netnsOfContainer(name);
    if (!existsSync(`/run/netns/${netns}`)) {
      await this.#ip('make a container namespace', 'netns', 'add', netns);
      await this.#ip('raise a loopback', '-n', netns, 'link', 'set', 'lo', 'up');
    }
    return `/run/netns/${netns}`;
  }

  /** Removes what an agent made on its host: a reboot leaves nothing of it. */
  async removeOverlays(hostId: string): Promise<void> {
    const made = readdirSync('/run/netns').filter((name) =>
      name.startsWith(agentNetnsPrefix(hostId)),
    );
    for (const netns of made) await this.#ip('remove an overlay', 'netns', 'del', netns);
  }

  async removeContainer(name: string): Promise<void> {
    const netns = netnsOfContainer(name);
    if (existsSync(`/run/netns/${netns}`))
      await this.#ip('remove a container', 'netns', 'del', netns);
  }
}
