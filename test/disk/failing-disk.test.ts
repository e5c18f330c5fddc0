// The log on disks that fail while it runs: full, or refusing to write. What was confirmed is there afterwards, what was not was
// told to nobody, and nothing is confirmed after the failure. A failing flush needs a device that can be told to fail.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeWherePossible } from '../support/where-possible';

const run = promisify(execFile);
const root = new URL('../..', import.meta.url).pathname;

interface Told {
  readonly confirmed: number;
  readonly failures: number;
  readonly confirmedAfterFailure: number;
  readonly code: string;
  readonly facts: { readonly cause?: string };
}
interface Found {
  readonly restored: number;
  readonly isWhole: boolean;
  readonly isRecovering: boolean;
  readonly repair: unknown;
}

let programs: string;
let writer: string;
let worker: string;
beforeAll(async () => {
  programs = mkdtempSync(join(tmpdir(), 'skein-failing-disk-'));
  symlinkSync(join(root, 'node_modules'), join(programs, 'node_modules'));
  await build({
    absWorkingDir: root,
    entryPoints: {
      writer: 'test/disk/log-writer.ts',
      worker: 'libs/raft-sqlite/src/log-worker.ts',
    },
    outdir: programs,
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['better-sqlite3'],
    outExtension: { '.js': '.mjs' },
    tsconfig: join(root, 'tsconfig.json'),
    logLevel: 'error',
  });
  writer = join(programs, 'writer.mjs');
  worker = join(programs, 'worker.mjs');
}, 60_000);
afterAll(() => rmSync(programs, { recursive: true, force: true }));

async function shell(script: string, args: string[], before: string[] = []): Promise<unknown> {
  const [program = '', ...rest] = [...before, 'sh', '-c', script, ...args];
  const { stdout } = await run(program, rest, { timeout: 60_000 });
  return JSON.parse(stdout);
}

describeWherePossible(whyNoMounts(), 'a log on a full disk', () => {
  it('tells so, confirms nothing more, and finds the truth again', async () => {
    const disk = join(programs, 'full');
    mkdirSync(disk);
    const script =
      'mount -t tmpfs -o size=6m tmpfs "$1" && head -c 2500000 /dev/zero > "$1/ballast" && exec "$0" "$2" "$1" "$3" --again';
    const args = [process.execPath, disk, writer, worker];
    const said = await shell(script, args, ['unshare', '-m', '--propagation', 'private']);
    const { confirmed, restored, ...rest } = said as Told & Found;
    expect(rest).toMatchObject({ failures: 1, confirmedAfterFailure: 0, code: 'disk_full' });
    expect(rest).toMatchObject({ isWhole: true, isRecovering: false, repair: null });
    expect(confirmed).toBeGreaterThan(10);
    expect(restored).toBeGreaterThanOrEqual(confirmed);
  }, 60_000);
});

describe('a log on a disk that refuses to write', () => {
  it('tells so, confirms nothing more, and finds the truth again', async () => {
    const disk = join(programs, 'refusing');
    mkdirSync(disk);
    const limited = 'ulimit -f 4096 && exec "$0" "$2" "$1" "$3"';
    const args = [process.execPath, disk, writer, worker];
    const told = (await shell(limited, args)) as Told;
    expect(told).toMatchObject({ failures: 1, confirmedAfterFailure: 0, code: 'disk_failed' });
    expect(told.facts.cause).toContain('SQLITE_IOERR');
    const found = (await shell('exec "$0" "$2" "$1" "$3" --read', args)) as Found;
    expect(found).toMatchObject({ isWhole: true, isRecovering: false, repair: null });
    expect(told.confirmed).toBeGreaterThan(10);
    expect(found.restored).toBeGreaterThanOrEqual(told.confirmed);
  }, 60_000);
});

function whyNoMounts(): string | null {
  const tried = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return tried.status === 0 ? null : 'no mount in a namespace of its own: it takes root';
}
