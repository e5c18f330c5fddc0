// The host's resolv.conf as it stands: read again when it has changed, and looked at seldom. How its text is read is not known here.

import { readFileSync, statSync } from 'node:fs';
import { nameserversOf } from '@skein/names';

const lookEveryMs = 5_000;

export class NameserversFile {
  #servers: readonly string[] = [];
  #changedAt = -1;
  #lookedAt = -Infinity;

  constructor(
    private readonly path: string,
    private readonly own: ReadonlySet<string>,
  ) {}

  /** None if there is no such file. */
  servers(): readonly string[] {
    const now = performance.now();
    if (now - this.#lookedAt < lookEveryMs) return this.#servers;
    this.#lookedAt = now;
    try {
      const { mtimeMs } = statSync(this.path);
      if (mtimeMs !== this.#changedAt) {
        this.#servers = nameserversOf(readFileSync(this.path, 'utf8'), this.own);
        this.#changedAt = mtimeMs;
      }
    } catch {
      this.#servers = [];
      this.#changedAt = -1;
    }
    return this.#servers;
  }
}
