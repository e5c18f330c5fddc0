// The files under which networks' namespaces are kept, in the way of `ip netns`: one file a namespace, mounted onto it.

import { mkdirSync, readdirSync, statfsSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interfaceGroup } from './lines';
import { runCommand } from './run-command';
import { vxlanName } from '@skein/vxlan';

/** `statfs` type of a mounted namespace (NSFS_MAGIC of linux/magic.h). */
const namespaceFileSystem = 0x6e736673;

export class Namespaces {
  readonly #directory: string;
  readonly #pattern: RegExp;

  constructor({ directory, prefix }: { directory: string; prefix: string }) {
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(prefix)) throw new Error(`'${prefix}' is no prefix`);
    this.#directory = directory;
    this.#pattern = new RegExp(`^${prefix}[0-9]{1,8}$`);
  }

  pathOf(name: string): string {
    if (!this.#pattern.test(name)) throw new Error(`'${name}' is no namespace of a network`);
    return join(this.#directory, name);
  }

  /** Names of those that are there, with those of which nothing but the file is left. */
  list(): { readonly name: string; readonly isMounted: boolean }[] {
    return entriesOf(this.#directory)
      .filter((name) => this.#pattern.test(name))
      .map((name) => ({ name, isMounted: isNamespace(join(this.#directory, name)) }));
  }

  /** Leaves a file that a namespace can be mounted onto. */
  prepare(name: string): string {
    const path = this.pathOf(name);
    mkdirSync(this.#directory, { recursive: true });
    writeFileSync(path, '', { flag: 'a' });
    return path;
  }

  /** Deletes the devices first: the kernel would take its time, and keep the VNI for as long. */
  async remove(name: string): Promise<void> {
    const path = this.pathOf(name);
    const input = `link del dev ${vxlanName}\nlink del group ${interfaceGroup}\n`;
    if (isNamespace(path)) {
      await runCommand(['nsenter', `--net=${path}`, '--', 'ip', '-force', '-batch', '-'], input);
      await runCommand(['umount', '-l', '--', path], '');
    }
    try {
      unlinkSync(path);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    }
  }
}

function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === namespaceFileSystem;
  } catch {
    return false;
  }
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
