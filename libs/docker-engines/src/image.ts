// The image that containers run, made from this machine's own programs since none can be pulled: busybox for everything, iperf3
// where the machine has it, with the libraries that they load.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SkeinError } from '@skein/contracts';
import type { DockerClient } from './docker-client';

export const imageName = 'skein-box';

/** Files of the machine that a program loads. A static one loads none. */
function librariesOf(program: string): string[] {
  try {
    const text = execFileSync('ldd', [program], { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
    return [...text.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? '');
  } catch {
    return [];
  }
}

function findOnPath(program: string, path: string): string | undefined {
  const folders = `${path}:/usr/bin:/bin:/usr/sbin:/sbin`.split(':');
  return folders.map((folder) => join(folder, program)).find((each) => existsSync(each));
}

/** Puts a program of this machine into the folder, before `makeRootFolder` gives its name to busybox. Throws `unavailable`. */
export function addProgram(folder: string, name: string, path = process.env['PATH'] ?? ''): void {
  const program = name.startsWith('/') ? name : findOnPath(name, path);
  if (program === undefined) throw new SkeinError('unavailable', `${name} is not on PATH`);
  add(folder, program);
}

function add(folder: string, program: string): void {
  for (const file of [program, ...librariesOf(program)]) {
    const target = file === program ? join(folder, 'bin', basename(file)) : join(folder, file);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
}

/** Fills the folder with a small root file system. Throws `unavailable` where there is no busybox. */
export function makeRootFolder(folder: string, path = process.env['PATH'] ?? ''): void {
  const busybox = findOnPath('busybox', path);
  if (busybox === undefined) throw new SkeinError('unavailable', 'busybox is not on PATH');
  for (const each of ['bin', 'etc', 'tmp', 'root']) {
    mkdirSync(join(folder, each), { recursive: true });
  }
  add(folder, busybox);
  const applets = execFileSync(busybox, ['--list']).toString().trim().split('\n');
  for (const applet of applets) {
    const link = join(folder, 'bin', applet);
    if (!existsSync(link)) symlinkSync('busybox', link);
  }
  const iperf3 = findOnPath('iperf3', path);
  if (iperf3 !== undefined) add(folder, iperf3);
}

export async function importImage(engines: readonly DockerClient[], folder: string): Promise<void> {
  await Promise.all(engines.map((engine) => engine.importFolder(folder, imageName)));
}
