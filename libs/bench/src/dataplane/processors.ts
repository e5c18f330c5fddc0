// Which processors a transfer's two ends run on. A scheduler that moves them, or puts both on one, makes more of a difference than
// overlays do.

import { readFileSync } from 'node:fs';

/** The first two that this process may run on; null: there are no two. */
export function ownProcessors(): readonly [number, number] | null {
  const status = readFileSync('/proc/self/status', 'utf8');
  return firstTwo(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '');
}

/** Of a list as the kernel writes it: `0-3,8`. */
export function firstTwo(list: string): readonly [number, number] | null {
  const [one, two] = list.split(',').flatMap((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number);
    return first === last ? [first] : [first, first + 1];
  });
  return one === undefined || two === undefined ? null : [one, two];
}
