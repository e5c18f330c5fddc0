// Which release of Docker a test file runs: the machine's own, or another that set-up unpacked.

import { type EngineRelease, pathWithRelease } from '@skein/docker-engines';
import { home } from '../support/skein-command';

export interface TestedEngine {
  /** On which its programs come first. */
  readonly path: string;
  /** Why it can't be tested here, in words. */
  readonly lacking: string | null;
  /** Of its version; null: whatever the machine has. */
  readonly major: number | null;
}

export function ownEngine(): TestedEngine {
  return { path: process.env['PATH'] ?? '', lacking: null, major: null };
}

export function engineOf(release: EngineRelease): TestedEngine {
  const path = pathWithRelease(release, home);
  const major = Number(release.replace('docker-', ''));
  if (path !== null) return { path, lacking: null, major };
  return { ...ownEngine(), major, lacking: `not here: node tools/setup/provide.mjs ${release}` };
}
