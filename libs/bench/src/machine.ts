// The machine that a figure belongs to: processors, kernel, what a flush to its disk takes, and the versions that were measured.

import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, release, totalmem } from 'node:os';
import { join } from 'node:path';

export interface Machine {
  readonly processors: number;
  readonly processor: string;
  readonly memoryMib: number;
  readonly kernel: string;
  /** Median of appending 4 KiB and flushing, in microseconds. */
  readonly flushUs: number;
  readonly node: string;
  readonly natsServer: string;
  readonly etcd: string | null;
}

const flushes = 200;

export function describeMachine(options: {
  folder: string;
  natsServer: string;
  etcd: string | null;
}): Machine {
  const cpu = /model name\s*:\s*(.+)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  return {
    processors: availableParallelism(),
    processor: cpu?.trim() ?? 'unknown',
    memoryMib: Math.round(totalmem() / 1_048_576),
    kernel: release(),
    flushUs: flushUs(options.folder),
    node: process.versions.node,
    natsServer: versionOf(options.natsServer, ['--version']),
    etcd: options.etcd === null ? null : versionOf(options.etcd, ['--version']),
  };
}

function versionOf(program: string, args: readonly string[]): string {
  const text = execFileSync(program, [...args], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? 'unknown';
}

function flushUs(folder: string): number {
  const path = join(folder, 'flush');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(4_096, 1);
  const times: number[] = [];
  for (let at = 0; at < flushes; at += 1) {
    const startedAt = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    times.push(performance.now() - startedAt);
  }
  closeSync(file);
  rmSync(path);
  const sorted = times.toSorted((one, other) => one - other);
  return Math.round((sorted[flushes >> 1] ?? 0) * 1_000);
}
