// What a run could leave on the machine: namespaces, links, mounts, Unix sockets and processes of this clone. Taken before
// and after, the two must be the same.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface MachineSnapshot {
  readonly namespaces: string[];
  readonly links: string[];
  readonly mounts: string[];
  readonly sockets: string[];
  readonly processes: string[];
  readonly runFolders: string[];
}

const list = (folder: string) => (existsSync(folder) ? readdirSync(folder).sort() : []);

export function machineSnapshot(home: string): MachineSnapshot {
  return {
    namespaces: list('/run/netns'),
    links: execFileSync('ip', ['-o', 'link'])
      .toString()
      .split('\n')
      .map((line) => line.split(': ')[1] ?? '')
      .sort(),
    mounts: readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .sort(),
    sockets: readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .map((line) => line.split(' ').at(-1) ?? '')
      .filter((path) => path.startsWith(home))
      .sort(),
    processes: processesOf(home),
    runFolders: list(join(home, '.skein', 'run')).filter((name) => name.startsWith('demo-')),
  };
}

/** Command lines of processes that run something of this clone, and nats-servers configured by it; not this test itself. */
function processesOf(home: string): string[] {
  return runningOf(home)
    .map(({ words }) => words.join(' '))
    .sort();
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function runningOf(home: string): { pid: number; words: string[] }[] {
  const folders = [join(home, 'dist'), join(home, '.skein', 'run')];
  return pids().flatMap((pid) => {
    if (pid === process.pid) return [];
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const ours = words.some((word) => folders.some((folder) => word.startsWith(folder)));
      return ours ? [{ pid, words }] : [];
    } catch {
      return [];
    }
  });
}

/** The process' network namespace; null once it has ended. */
function namespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return null;
  }
}

/**
 * Network namespaces that processes of this clone were seen in. Whatever is still in one of them afterwards was left
 * behind, also a program that names nothing of the clone on its command line.
 */
export class NamespaceWatch {
  readonly #own = namespaceOf(process.pid);
  readonly #seen = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly home: string) {
    this.#timer = setInterval(() => this.#look(), 100);
  }

  #look(): void {
    for (const { pid } of runningOf(this.home)) {
      const namespace = namespaceOf(pid);
      if (namespace !== null && namespace !== this.#own) this.#seen.add(namespace);
    }
  }

  get seen(): number {
    return this.#seen.size;
  }

  leftOver(): number[] {
    return pids().filter((pid) => this.#seen.has(namespaceOf(pid) ?? ''));
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
