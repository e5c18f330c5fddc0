// Runs a story in a private world (own processes, mounts and network) and gives what it observed. Nothing of it outlives the
// run: the kernel takes the namespaces apart with their last process.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = new URL('../..', import.meta.url).pathname;
const storyTimeoutMs = 120_000;

/** Without root, a user namespace gives the rights that a network namespace needs. */
const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
const isolation = [...asRoot, '-p', '-f', '--mount-proc', '-m', '-n', '--kill-child'];

/** Why stories can't be told on this machine; null if they can. */
export async function whyNoPrivateWorld(): Promise<string | null> {
  const probe = [
    'ip link add name br0 type bridge',
    'ip link add name vxlan0 type vxlan id 1 local 127.0.0.1 dstport 4789 nolearning',
    'ip link set dev vxlan0 master br0',
    'ip link set dev vxlan0 type bridge_slave neigh_suppress on',
  ].join(' && ');
  try {
    await run('unshare', [...isolation, 'sh', '-c', `ip link set lo up && ${probe}`]);
    return null;
  } catch (thrown) {
    return `the kernel or its tools lack something: ${(thrown as Error).message.trim()}`;
  }
}

/** Bundles the programs and runs the first; it prints what it observed as JSON. */
export async function tellStory<Observed>(story: string, programs: string[]): Promise<Observed> {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, 'skein-kernel-'));
  try {
    const entries = [story, ...programs].map((name) => join(root, 'test', 'kernel', `${name}.ts`));
    await run(
      join(root, 'node_modules', '.bin', 'esbuild'),
      [
        ...entries,
        '--bundle',
        '--format=esm',
        '--platform=node',
        '--target=node20',
        '--packages=external',
        '--out-extension:.js=.mjs',
        `--outdir=${directory}`,
        `--tsconfig=${join(root, 'tsconfig.json')}`,
        '--log-level=error',
      ],
      { cwd: root },
    );
    const { stdout } = await run(
      'unshare',
      [...isolation, process.execPath, '--no-warnings', join(directory, `${story}.mjs`)],
      { timeout: storyTimeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 },
    );
    return JSON.parse(stdout) as Observed;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
