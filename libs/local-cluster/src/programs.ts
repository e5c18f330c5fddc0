// Where the programs that a local cluster starts are found: on PATH, else where set-up unpacked them (tools/setup.mjs).

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';

const unpacked = {
  'nats-server': ['nats-server/nats-server', 'nats-server/usr/sbin/nats-server'],
  ping: ['iputils-ping/bin/ping', 'iputils-ping/usr/bin/ping'],
  ip: ['iproute2/bin/ip', 'iproute2/usr/bin/ip'],
} as const;

export type Program = keyof typeof unpacked | 'unshare' | 'nsenter' | 'mount';

/** Path of a program. Throws `unavailable` with what to do when it is nowhere. */
export function findProgram(program: Program, home: string, path: string): string {
  const folders = `${path}:/usr/local/sbin:/usr/sbin:/sbin`.split(':').filter((dir) => dir !== '');
  const candidates = folders.map((dir) => join(dir, program));
  const places = program in unpacked ? unpacked[program as keyof typeof unpacked] : [];
  candidates.push(...places.map((place) => join(home, '.skein', 'tools', place)));
  const found = candidates.find(
    (candidate) => existsSync(candidate) && statSync(candidate).isFile(),
  );
  if (found === undefined) {
    throw new SkeinError('unavailable', `${program} is not on PATH; run ./skein setup`, {
      facts: { program },
    });
  }
  return found;
}
