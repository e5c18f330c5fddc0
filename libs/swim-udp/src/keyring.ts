// Seals frames with AES-GCM under a primary key and opens them with any key of the ring. Knows nothing of what a frame
// holds. Random nonces: a key serves for 2^32 frames, some years of gossip.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { frameKinds } from '@skein/swim';

const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + nonceBytes;
const ciphers = {
  16: 'aes-128-gcm',
  24: 'aes-192-gcm',
  32: 'aes-256-gcm',
} as const;

interface Key {
  readonly cipher: (typeof ciphers)[keyof typeof ciphers];
  readonly bytes: Uint8Array;
}

export class Keyring {
  readonly #keys: readonly Key[];
  readonly #primary: Key;

  /** Keys of 16, 24 or 32 bytes, the primary first; the others only open. Throws RangeError for anything else. */
  constructor(keys: readonly Uint8Array[]) {
    this.#keys = keys.map((bytes) => {
      const cipher = ciphers[bytes.length as keyof typeof ciphers];
      if (cipher === undefined) throw new RangeError('a key takes 16, 24 or 32 bytes');
      return { cipher, bytes };
    });
    const [primary] = this.#keys;
    if (primary === undefined) throw new RangeError('a keyring needs a key');
    this.#primary = primary;
  }

  /** Layout: kind u8, nonce, ciphertext of the frame, tag; the kind is authenticated too. */
  seal(frame: Uint8Array): Uint8Array {
    const head = Buffer.concat([Uint8Array.of(frameKinds.encrypted), randomBytes(nonceBytes)]);
    const { cipher, bytes } = this.#primary;
    const sealing = createCipheriv(cipher, bytes, head.subarray(1));
    sealing.setAAD(head.subarray(0, 1));
    const sealed = sealing.update(frame);
    return Buffer.concat([head, sealed, sealing.final(), sealing.getAuthTag()]);
  }

  /** The frame, or null if no key of the ring opens it. */
  open(sealed: Uint8Array): Uint8Array | null {
    if (sealed.length < headBytes + tagBytes || sealed[0] !== frameKinds.encrypted) return null;
    for (const key of this.#keys) {
      const frame = openWith(key, sealed);
      if (frame !== null) return frame;
    }
    return null;
  }
}

function openWith({ cipher, bytes }: Key, sealed: Uint8Array): Uint8Array | null {
  const opening = createDecipheriv(cipher, bytes, sealed.subarray(1, headBytes), {
    authTagLength: tagBytes,
  });
  opening.setAAD(sealed.subarray(0, 1));
  opening.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const frame = opening.update(sealed.subarray(headBytes, sealed.length - tagBytes));
  try {
    opening.final();
    return frame;
  } catch {
    return null;
  }
}
