// The one thing of an engine that the kernel does not take away with its processes: the control groups of its containers. A
// janitor outside of the private world waits for the world's end and removes them, whatever ended it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every mounted hierarchy, of either version. */
export function hierarchies(mounts = readFileSync('/proc/self/mounts', 'utf8')): string[] {
  return mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, folder]) => folder ?? '');
}

/** Innermost first; a group that still holds a process keeps its folder. */
const script = [
  'read -r _',
  'for attempt in 1 2 3 4 5 6 7 8 9 10; do',
  '  left=',
  '  for group in "$@"; do',
  '    [ -d "$group" ] || continue',
  '    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null',
  '    [ ! -d "$group" ] || left=yes',
  '  done',
  '  [ -n "$left" ] || exit 0',
  '  sleep 0.3',
  'done',
].join('\n');

/** What waits for the end of its standard input, then removes the groups. `parent`: their name at the root of each hierarchy, as in `/skein-demo-1`. */
export function cgroupJanitor(parent: string): [string, ...string[]] {
  return ['sh', '-c', script, 'sh', ...hierarchies().map((folder) => join(folder, parent))];
}
