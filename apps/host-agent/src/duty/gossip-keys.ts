// The keys of gossip from a file that is read again whenever it changes, so that they rotate while the agent runs. What can't be
// read, or holds no key, changes nothing.

import { readFileSync } from 'node:fs';
import type { Logger } from '@skein/messaging';
import { every, type Time } from '@skein/time';

/** Base64 of 16, 24 or 32 bytes: AES-128, 192 or 256. */
export function isGossipKey(text: string): boolean {
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  return isBase64 && [16, 24, 32].includes(Buffer.from(text, 'base64').length);
}

/** Null unless every line that is not empty is a key, and there is one. */
export function gossipKeysOf(text: string): string[] | null {
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '');
  return keys.length > 0 && keys.every(isGossipKey) ? keys : null;
}

export interface GossipKeyFileOptions {
  /** One key a line, the first seals. */
  readonly path: string;
  readonly time: Time;
  readonly logger: Logger;
  readonly onKeys: (keys: readonly string[]) => void;
}

const intervalMs = 1_000;

export class GossipKeyFile {
  readonly #options: GossipKeyFileOptions;
  #text = '';
  #cancel: (() => void) | undefined;

  constructor(options: GossipKeyFileOptions) {
    this.#options = options;
  }

  /** Throws RangeError if there is no key to start with. */
  start(): readonly string[] {
    const { path, time } = this.#options;
    const text = readFileSync(path, 'utf8');
    const keys = gossipKeysOf(text);
    if (keys === null) throw new RangeError(`${path} holds no gossip keys`);
    this.#text = text;
    this.#cancel = every(time, intervalMs, () => this.look());
    return keys;
  }

  stop(): void {
    this.#cancel?.();
  }

  look(): void {
    const { path, logger, onKeys } = this.#options;
    try {
      const text = readFileSync(path, 'utf8');
      if (text === this.#text) return;
      this.#text = text;
      const keys = gossipKeysOf(text);
      if (keys === null) return logger.warn({ path }, 'no gossip keys: those before stay in use');
      onKeys(keys);
      logger.info({ keys: keys.length }, 'gossip keys changed');
    } catch (thrown) {
      logger.warn({ path, fault: String(thrown) }, 'the gossip keys can not be read');
    }
  }
}
