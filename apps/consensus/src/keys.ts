// Where the key of an encrypted log comes from: a file that only the replica's user may read. Keys are 32 random bytes in base64.

import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

export const keyFileName = 'raft-log.key';
const keyBytes = 32;

export class KeyFile {
  constructor(private readonly path: string) {}

  /** The key, made now if there is no file, and one that was about to take its place. Throws if the file holds no key. */
  candidates(): Uint8Array[] {
    if (!existsSync(this.path) && !existsSync(this.nextPath)) {
      this.prepare(randomBytes(keyBytes));
      this.commit();
    }
    return [this.path, this.nextPath].filter((path) => existsSync(path)).map(read);
  }

  /** Makes a new key durable beside the old one. */
  prepare(key: Uint8Array): void {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    const file = openSync(this.nextPath, 'w', 0o600);
    writeSync(file, `${Buffer.from(key).toString('base64')}\n`);
    fsyncSync(file);
    closeSync(file);
    this.syncFolder();
  }

  /** The new key takes the old one's place. */
  commit(): void {
    renameSync(this.nextPath, this.path);
    this.syncFolder();
  }

  /** The candidate at this place has opened the log: it is the key, and there is no other. */
  settle(at: number): void {
    if (at > 0) this.commit();
    else rmSync(this.nextPath, { force: true });
  }

  private get nextPath(): string {
    return `${this.path}.next`;
  }

  private syncFolder(): void {
    const folder = openSync(dirname(this.path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  }
}

function read(path: string): Uint8Array {
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  return decodeKey(readFileSync(path, 'utf8').trim());
}

export function decodeKey(text: string): Uint8Array {
  const key = new Uint8Array(Buffer.from(text, 'base64'));
  if (key.length !== keyBytes) throw new Error('the key of the log is not 32 bytes in base64');
  return key;
}
