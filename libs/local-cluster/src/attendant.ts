// A process outside of a private world that lives as long as the world does, whatever ends that: its standard input is held open by
// the world's first process, and reads its end once nobody has it any more.

import { type ChildProcess, spawn } from 'node:child_process';

export class Attendant {
  readonly #child: ChildProcess;

  constructor([program, ...args]: readonly [string, ...string[]]) {
    this.#child = spawn(program, args, {
      // Not in the starter's session: what ends that one must not end this one.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child.unref();
  }

  /** To be handed to the world's first process. */
  get lifeline(): number {
    const { _handle } = this.#child.stdin as unknown as { _handle: { fd: number } };
    return _handle.fd;
  }

  /** Closes this process' copy. */
  letGo(): void {
    this.#child.stdin?.destroy();
  }
}
