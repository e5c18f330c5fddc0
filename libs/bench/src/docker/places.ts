// Where a program of a bench runs inside a local cluster: on a host, in a container of the cluster, in the network of a Docker
// container. Programs are started from outside; those that still run end with the cluster.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { SkeinError } from '@skein/contracts';
import {
  commandInWorld,
  findProgram,
  type LocalCluster,
  netnsOfContainer,
  netnsOfHost,
} from '@skein/local-cluster';

export type Place =
  | { readonly at: 'world' }
  | { readonly at: 'host'; readonly host: string }
  | { readonly at: 'container'; readonly container: string }
  /** A process inside of the private world, in whose network it runs. */
  | { readonly at: 'process'; readonly pid: number }
  | { readonly at: 'netns'; readonly name: string };

export class Places {
  readonly #programs: { nsenter: string; unshare: string; mount: string };

  constructor(
    private readonly cluster: LocalCluster,
    options: { home: string; path: string },
  ) {
    const find = (program: 'nsenter' | 'unshare' | 'mount') =>
      findProgram(program, options.home, options.path);
    this.#programs = { nsenter: find('nsenter'), unshare: find('unshare'), mount: find('mount') };
  }

  start(place: Place, argv: readonly string[]): ChildProcess {
    const [command, ...args] = this.#commandIn(place, argv) as [string, ...string[]];
    return spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Standard output; throws `internal` with what the program said if it fails. */
  run(place: Place, argv: readonly string[], timeoutMs = 60_000): Promise<string> {
    const [command, ...args] = this.#commandIn(place, argv) as [string, ...string[]];
    return new Promise((resolve, reject) => {
      execFile(
        command,
        args,
        { timeout: timeoutMs, maxBuffer: 32 << 20 },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new SkeinError('internal', `${argv.join(' ')}: ${stderr.trim() || stdout}`));
        },
      );
    });
  }

  /** A small script of `ip` and `bridge`; its first failure ends it. */
  script(lines: readonly string[]): Promise<string> {
    return this.run({ at: 'world' }, ['sh', '-ec', lines.join('\n')]);
  }

  #commandIn(place: Place, argv: readonly string[]): string[] {
    const inside = [...enterNetwork(place, this.#programs.nsenter), ...argv];
    return commandInWorld(this.cluster.record, this.#programs, { world: true }, inside);
  }
}

function enterNetwork(place: Place, nsenter: string): string[] {
  switch (place.at) {
    case 'world':
      return [];
    case 'process':
      return [nsenter, '--target', String(place.pid), '--net', '--'];
    case 'host':
      return enterNetns(nsenter, netnsOfHost(place.host));
    case 'container':
      return enterNetns(nsenter, netnsOfContainer(place.container));
    case 'netns':
      return enterNetns(nsenter, place.name);
  }
}

const enterNetns = (nsenter: string, name: string): string[] => [
  nsenter,
  `--net=/run/netns/${name}`,
  '--',
];
