// A disk of a replica's own: a small ext4 image on a loop device, mounted in a namespace that only the replica's process sees.
// The kernel can freeze it, as a disk that stalls does, or it can be full. When the process ends, so does the mount.

import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const privateMounts = ['unshare', '-m', '--propagation', 'private'];
const mountThenRun = 'mount -o loop "$0" "$1" && shift && exec "$@"';

export class ReplicaDisk {
  private constructor(
    private readonly image: string,
    readonly mountPoint: string,
  ) {}

  static async create(folder: string, sizeMiB: number): Promise<ReplicaDisk> {
    mkdirSync(join(folder, 'mount'), { recursive: true });
    const image = join(folder, 'disk.img');
    await run('truncate', ['-s', `${sizeMiB}M`, image]);
    await run('mkfs.ext4', ['-q', '-m', '0', '-O', '^has_journal', image]);
    return new ReplicaDisk(image, join(folder, 'mount'));
  }

  /** Words that start a program with this disk in place. */
  get wrapper(): string[] {
    return [...privateMounts, 'sh', '-c', mountThenRun, this.image, this.mountPoint];
  }

  /** Every write waits, as on a disk that does not answer, for so long. It ends by itself, whatever becomes of the test. */
  async freeze(pid: number, ms: number): Promise<void> {
    const seconds = (ms / 1_000).toFixed(3);
    const story = `trap "" INT TERM HUP; fsfreeze -f "$0" && echo frozen; sleep ${seconds}; fsfreeze -u "$0"`;
    const args = ['-t', String(pid), '-m', 'sh', '-c', story, this.mountPoint];
    const child = spawn('nsenter', args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`the disk could not be frozen: ${code}`)));
    });
  }

  /** Fills what is free but for so many KiB, while the process `pid` has the disk. */
  async fill(pid: number, freeKiB: number): Promise<void> {
    const story = `free=$(df --output=avail -k "$0" | tail -1); head -c $(((free - ${freeKiB}) * 1024)) /dev/zero > "$0/ballast"; sync -f "$0"`;
    await run('nsenter', ['-t', String(pid), '-m', 'sh', '-c', story, this.mountPoint]);
  }

  /** Runs a shell command over the mounted disk, whose path is `$0`, while no replica has it. */
  async inside(command: string): Promise<string> {
    const args = [...this.wrapper.slice(1), 'sh', '-c', command, this.mountPoint];
    const { stdout } = await run(this.wrapper[0] ?? '', args);
    return stdout;
  }
}

/** Why this machine can't give a replica a disk of its own; null if it can. */
export async function whyNoDisks(): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'skein-disk-'));
  try {
    const disk = await ReplicaDisk.create(folder, 4);
    await disk.inside('fsfreeze -f "$0" && fsfreeze -u "$0"');
    return null;
  } catch (thrown) {
    return `no loop device, mount or fsfreeze here: ${(thrown as Error).message.trim().split('\n').at(-1)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
