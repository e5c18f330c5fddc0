// The way from a private world to a collector of traces: a process out here that listens on a socket in the file system, which worlds
// share with us, and ends when the world does.

import { join } from 'node:path';
import type { Collector } from './tracing';

export const wayOutSocket = (dataDir: string): string => join(dataDir, 'way-out.sock');

/** What an attendant of the world runs. */
export function wayOutCommand(
  home: string,
  dataDir: string,
  { host, port }: Collector,
): [string, ...string[]] {
  const program = join(home, 'dist', 'local-way-out.js');
  const socket = wayOutSocket(dataDir);
  return [process.execPath, '--max-semi-space-size=1', program, socket, host, String(port)];
}
