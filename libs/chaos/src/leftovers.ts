// What a run could leave on the machine: processes in its private world, and namespaces, links and mounts outside of it. The world's
// own namespaces tell its processes from all others, whatever their names.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

const kinds = ['pid', 'net', 'mnt'] as const;

function namespaceOf(pid: number, kind: (typeof kinds)[number]): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return null;
  }
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

function outside(): string[] {
  const named = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  const links = lines(execFileSync('ip', ['-o', 'link']).toString());
  const mounts = lines(readFileSync('/proc/self/mounts', 'utf8'));
  return [
    ...named.map((name) => `namespace ${name}`),
    ...links.map((line) => `link ${line.split(': ')[1] ?? line}`),
    ...mounts.map((line) => `mount ${line.split(' ')[1] ?? line}`),
  ];
}

/** Names that a run gives, and others on the machine do not. */
const isOurs = (what: string, dataDir: string): boolean =>
  /^(namespace|link) (c-|sk-|host-h|at-|u-h|p-\d|underlay|skeincheck)/.test(what) ||
  what.includes(dataDir);

export class Leftovers {
  readonly #before = new Set(outside());
  #world: readonly string[] = [];
  #dataDir = '';

  /** The world's first process, as seen from outside. */
  entered(pid: number, dataDir: string): void {
    this.#dataDir = dataDir;
    this.#world = kinds.flatMap((kind) => namespaceOf(pid, kind) ?? []);
  }

  look(): string[] {
    const pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    const alive = pids.filter((pid) =>
      kinds.some((kind) => this.#world.includes(namespaceOf(pid, kind) ?? '')),
    );
    const more = outside().filter((what) => !this.#before.has(what) && isOurs(what, this.#dataDir));
    return [
      ...alive.map((pid) => `process ${pid}`),
      ...more,
      ...(this.#dataDir !== '' && existsSync(this.#dataDir) ? [`folder ${this.#dataDir}`] : []),
    ];
  }
}
