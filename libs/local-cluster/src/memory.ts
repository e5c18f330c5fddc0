// Memory of a process as the kernel counts it.

import { readFileSync } from 'node:fs';

export interface Memory {
  readonly residentKib: number;
  readonly proportionalKib: number;
}

/** Zeros for a process that is gone. */
export function memoryOf(pid: number | null): Memory {
  if (pid === null) return { residentKib: 0, proportionalKib: 0 };
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const field = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    return { residentKib: field('Rss'), proportionalKib: field('Pss') };
  } catch {
    return { residentKib: 0, proportionalKib: 0 };
  }
}
