// The private world of a bench: process, mount and network namespaces of its own, in which clusters listen on loopback and from
// which nothing stays. It ends with this process, whatever ends it.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';
import { findProgram, unshareFlags } from '@skein/local-cluster';
import type { BenchReport, BenchSettings } from './bench-store';
import type { BenchPlan } from './plan';

export interface WorldOptions {
  readonly home: string;
  readonly path: string;
  readonly etcd: string | null;
  readonly plan: BenchPlan;
  readonly profileDir?: string | undefined;
  readonly progress: (text: string) => void;
}

export type WorldMessage =
  | { readonly type: 'progress'; readonly text: string }
  | { readonly type: 'report'; readonly report: BenchReport }
  | { readonly type: 'failed'; readonly error: unknown };

/** The hidden command that runs inside. */
export const worldCommand = 'bench-world';

export async function runInWorld(options: WorldOptions): Promise<BenchReport> {
  const { home, path, etcd, plan, profileDir } = options;
  const folder = join(home, '.skein', 'bench');
  sweep(folder);
  const dataDir = join(folder, String(process.pid));
  mkdirSync(dataDir, { recursive: true });
  const natsServer = findProgram('nats-server', home, path);
  const settings: BenchSettings = { home, dataDir, natsServer, etcd, plan, profileDir };
  const child = start(settings, options);
  const end = (): void => void child.kill('SIGKILL');
  const called = { signal: undefined as NodeJS.Signals | undefined };
  const onSignal = (signal: NodeJS.Signals): void => {
    called.signal = signal;
    end();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await reportOf(child, options.progress);
  } catch (thrown) {
    if (called.signal === undefined) throw thrown;
    throw new SkeinError('unavailable', `called off by ${called.signal}`);
  } finally {
    end();
    for (const signal of signals) process.off(signal, onSignal);
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 20 });
  }
}

function start(settings: BenchSettings, { home, path, profileDir }: WorldOptions): ChildProcess {
  const profile =
    profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profileDir, 'client')}`];
  const flags = unshareFlags(process.getuid?.() !== 0);
  const cli = join(home, 'dist', 'cli.js');
  const node = [process.execPath, '--no-warnings', ...profile, cli];
  const inside = [...node, worldCommand, findProgram('ip', home, path), JSON.stringify(settings)];
  return spawn(findProgram('unshare', home, path), [...flags, ...inside], {
    cwd: home,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

function reportOf(child: ChildProcess, progress: (text: string) => void): Promise<BenchReport> {
  return new Promise((resolve, reject) => {
    let report: BenchReport | undefined;
    child.on('message', (message: WorldMessage) => {
      if (message.type === 'progress') progress(message.text);
      if (message.type === 'report') report = message.report;
      if (message.type === 'failed') reject(SkeinError.fromBody(message.error));
    });
    child.once('error', reject);
    // Only then is everything of the world gone.
    child.once('close', (code, signal) => {
      if (report !== undefined) resolve(report);
      else
        reject(
          new SkeinError('internal', `The bench ended early (${signal ?? `exit code ${code}`})`),
        );
    });
  });
}

/** Folders of benches that are no more. */
function sweep(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (!existsSync(join('/proc', name))) {
      rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
}
