// What the kernel tells of processes: processor time and memory, summed.

import { readFileSync } from 'node:fs';
import { memoryOf } from '@skein/local-cluster';
import type { Memory } from './peer';

/** Kernel ticks are hundredths of a second on every Linux that Node runs on. */
const msPerTick = 10;

/** User and system time of processes in milliseconds; one that is gone counts nothing. */
export function cpuMsOf(pids: readonly (number | null)[]): number {
  let ticks = 0;
  for (const pid of pids) {
    if (pid === null) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // Gone.
    }
  }
  return ticks * msPerTick;
}

export function memoryOfAll(pids: readonly (number | null)[]): Memory {
  const each = pids.map((pid) => memoryOf(pid));
  return {
    residentKib: each.reduce((sum, { residentKib }) => sum + residentKib, 0),
    proportionalKib: each.reduce((sum, { proportionalKib }) => sum + proportionalKib, 0),
  };
}
