// Docker engines of other releases than the machine's own, which set-up unpacks beside it (tools/setup/programs.mjs): a PATH on which
// they come first starts their dockerd, containerd, docker and Compose, and takes the rest from the machine.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const otherReleases = ['docker-26', 'docker-28'] as const;
export type EngineRelease = (typeof otherReleases)[number];

/** `home`: the clone. Null: the release is not there; `node tools/setup/provide.mjs docker-28` fetches one. */
export function pathWithRelease(
  release: EngineRelease,
  home: string,
  path = process.env['PATH'] ?? '',
): string | null {
  const usr = join(home, '.skein', 'tools', release, 'usr');
  if (!existsSync(join(usr, 'sbin', 'dockerd'))) return null;
  return [join(usr, 'sbin'), join(usr, 'bin'), path].join(':');
}
