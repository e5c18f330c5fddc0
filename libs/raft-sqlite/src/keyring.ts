// Encryption at rest, AES-256-GCM: data keys, each wrapped by the operator's key, and the sealing of one row at a time. A row's
// place is authenticated with it, so that no row can stand in for another. Knows nothing of where rows are kept.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { RaftLogError } from './raft-log-error';

export interface WrappedKey {
  /** From 1; 0 stands for a row in the plain. */
  readonly id: number;
  readonly wrapped: string;
}

const nonceBytes = 12;
const tagBytes = 16;
export const sealedOverheadBytes = nonceBytes + tagBytes;
export const keyBytes = 32;
const countersPerPrefix = 2 ** 32;

export class Keyring {
  private readonly keys = new Map<number, Uint8Array>();
  private readonly nonces = freshNonces();
  private newest = 0;

  private constructor(
    private kek: Uint8Array | null,
    wrapped: readonly WrappedKey[],
  ) {
    for (const { id, wrapped: text } of wrapped) this.add(id, this.unwrap(id, text));
  }

  /** Throws `locked` unless the key opens what is there. With a key and nothing there, encryption begins. */
  static open(wrapped: readonly WrappedKey[], kek: Uint8Array | null): Keyring {
    if (kek !== null && kek.length !== keyBytes) {
      throw new RaftLogError('locked', `The key has ${kek.length} bytes, not ${keyBytes}`);
    }
    const keyring = new Keyring(kek, wrapped);
    if (kek !== null && wrapped.length === 0) keyring.rotate();
    return keyring;
  }

  /** The data key of new rows; 0 if they stay plain. */
  get current(): number {
    return this.newest;
  }

  get ids(): readonly number[] {
    return [...this.keys.keys()];
  }

  wrapped(): WrappedKey[] {
    const { kek } = this;
    if (kek === null) return [];
    return [...this.keys].map(([id, key]) => {
      const sealed = seal(kek, randomBytes(nonceBytes), `key ${id}`, key);
      return { id, wrapped: Buffer.from(sealed).toString('base64') };
    });
  }

  /** New rows get a new data key; the old ones open old rows. */
  rotate(): void {
    if (this.kek === null) throw new RaftLogError('locked', 'The log is not encrypted');
    this.add(this.current + 1, randomBytes(keyBytes));
  }

  /** Keys that no row needs any more. The current one always stays. */
  drop(id: number): void {
    if (id !== this.current) this.keys.delete(id);
  }

  changeKek(kek: Uint8Array): void {
    if (kek.length !== keyBytes || this.kek === null) {
      throw new RaftLogError('locked', 'The log is not encrypted, or the new key is no key');
    }
    this.kek = kek;
  }

  /** Under the current key, if there is one. `place` says what the row is and where it belongs. */
  seal(place: () => string, data: Uint8Array): Uint8Array {
    const key = this.keys.get(this.newest);
    return key === undefined ? data : seal(key, this.nonces(), place(), data);
  }

  /** Null if the row is not what was sealed for this place, or its key is gone. */
  open(keyId: number, place: () => string, sealed: Uint8Array): Uint8Array | null {
    if (keyId === 0) return sealed;
    const key = this.keys.get(keyId);
    return key === undefined ? null : open(key, place(), sealed);
  }

  private add(id: number, key: Uint8Array): void {
    this.keys.set(id, key);
    this.newest = Math.max(this.newest, id);
  }

  private unwrap(id: number, text: string): Uint8Array {
    if (this.kek === null) throw new RaftLogError('locked', 'The log is encrypted');
    const key = open(this.kek, `key ${id}`, Buffer.from(text, 'base64'));
    if (key === null) throw new RaftLogError('locked', 'The log was encrypted with another key');
    return key;
  }
}

/**
 * Eight random bytes a run and a counter: within a run no nonce repeats, and between runs, also of a copied file, only by a
 * chance of 2⁻⁶⁴ for each pair of runs.
 */
export function freshNonces(): () => Uint8Array {
  let prefix = randomBytes(nonceBytes - 4);
  let counter = 0;
  return () => {
    if (counter === countersPerPrefix) {
      prefix = randomBytes(nonceBytes - 4);
      counter = 0;
    }
    const nonce = Buffer.alloc(nonceBytes);
    prefix.copy(nonce);
    nonce.writeUInt32BE(counter, nonceBytes - 4);
    counter += 1;
    return nonce;
  };
}

function seal(key: Uint8Array, nonce: Uint8Array, place: string, data: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(place));
  const first = cipher.update(data);
  const rest = cipher.final();
  return Buffer.concat([nonce, cipher.getAuthTag(), first, rest]);
}

function open(key: Uint8Array, place: string, sealed: Uint8Array): Uint8Array | null {
  if (sealed.length < sealedOverheadBytes) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes));
  decipher.setAAD(Buffer.from(place));
  decipher.setAuthTag(sealed.subarray(nonceBytes, sealedOverheadBytes));
  try {
    const data = decipher.update(sealed.subarray(sealedOverheadBytes));
    return Buffer.concat([data, decipher.final()]);
  } catch {
    return null;
  }
}
