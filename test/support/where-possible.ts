// Tests that need something of the machine: a loop device, mounts, a kernel's feature. Where it is missing they count as skipped, and
// `skein test` names each with the reason; on a machine that has it they run like any other.

import { describe } from '@jest/globals';

/** `lacking`: what this machine has not, in words; null if it has everything. */
export function describeWherePossible(
  lacking: string | null,
  title: string,
  tests: () => void,
): void {
  if (lacking === null) describe(title, tests);
  else describe.skip(`${title} (${lacking})`, tests);
}
