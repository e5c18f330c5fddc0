// The way from a private world to a collector of traces: a process out here that listens on a socket in the file system, which worlds
// share with us, and ends when the world does.

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Collector } from './tracing';

export const wayOutSocket = (dataDir: string): string => join(dataDir, 'way-out.sock');

export class WayOut {
  readonly #child: ChildProcess;

  constructor(home: string, dataDir: string, { host, port }: Collector) {
    const program = join(home, 'dist', 'local-way-out.js');
    const argv = ['--max-semi-space-size=1', program, wayOutSocket(dataDir), host, String(port)];
    this.#child = spawn(process.execPath, argv, {
      // Not in the starter's session: what ends that one must not end this one.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child.unref();
  }

  /** To be handed to the world's first process: once nobody has it open any more, the way is closed. */
  get lifeline(): number {
    const { _handle } = this.#child.stdin as unknown as { _handle: { fd: number } };
    return _handle.fd;
  }

  /** Closes this process' copy. */
  letGo(): void {
    this.#child.stdin?.destroy();
  }
}
