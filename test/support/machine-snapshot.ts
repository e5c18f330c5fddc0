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
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const ours = words.some(
          (word) =>
            word.startsWith(join(home, 'dist')) || word.startsWith(join(home, '.skein', 'run')),
        );
        return ours ? [words.join(' ')] : [];
      } catch {
        return [];
      }
    })
    .sort();
}

/** Network namespaces that some process is in: a namespace without a name lives on through those. */
export function namespacesInUse(): number {
  const seen = new Set<string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      seen.add(readlinkSync(`/proc/${pid}/ns/net`));
    } catch {
      // Ended meanwhile, or a kernel thread.
    }
  }
  return seen.size;
}
