// Where the programs that a local cluster starts are found: on PATH, else where set-up unpacked them (tools/setup/programs.mjs).

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';

/** Folders below .skein/tools in which an unpacked package holds its programs. */
const unpacked = [
  'nats-server',
  'nftables',
  ...['nats-server', 'iputils-ping', 'iproute2'].flatMap((name) =>
    ['bin', 'sbin', 'usr/bin', 'usr/sbin'].map((folder) => `${name}/${folder}`),
  ),
];

export type Program = 'nats-server' | 'ping' | 'ip' | 'nft' | 'unshare' | 'nsenter' | 'mount';

/** PATH for what runs in a cluster: people who are not root often lack the folders that hold `ip` and `bridge`. */
export function searchPath(home: string, path: string): string {
  const folders = `${path}:/usr/local/sbin:/usr/sbin:/sbin`.split(':').filter((dir) => dir !== '');
  const places = unpacked.map((place) => join(home, '.skein', 'tools', place));
  return [...new Set([...folders, ...places])].join(':');
}

/** Path of a program. Throws `unavailable` with what to do when it is nowhere. */
export function findProgram(program: Program, home: string, path: string): string {
  const found = searchPath(home, path)
    .split(':')
    .map((dir) => join(dir, program))
    .find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
  if (found === undefined) {
    throw new SkeinError('unavailable', `${program} is not on PATH; run ./skein setup`, {
      facts: { program },
    });
  }
  return found;
}
