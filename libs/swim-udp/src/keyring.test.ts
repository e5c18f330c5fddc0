// Sealing and opening: any key of the ring opens, nothing else does, and what was touched does not open.

import { describe, expect, it } from '@jest/globals';
import { encryptionReserveBytes } from '@skein/swim';
import { Keyring } from './keyring';

const oldKey = new Uint8Array(16).fill(1);
const newKey = new Uint8Array(32).fill(2);
const frame = new TextEncoder().encode('a frame');

describe('keyring', () => {
  it('opens with any of its keys, within the bytes that packets keep free', () => {
    const sealed = new Keyring([oldKey]).seal(frame);
    expect(new Keyring([newKey, oldKey]).open(sealed)).toEqual(Buffer.from(frame));
    expect(sealed.length - frame.length).toBe(encryptionReserveBytes);
  });

  it('does not open what another key sealed, or what was touched anywhere', () => {
    const ring = new Keyring([newKey]);
    const sealed = ring.seal(frame);
    expect(new Keyring([oldKey]).open(sealed)).toBeNull();
    for (let index = 0; index < sealed.length; index += 1) {
      const touched = Uint8Array.from(sealed);
      touched[index] = (touched[index] as number) ^ 1;
      expect(ring.open(touched)).toBeNull();
      expect(ring.open(sealed.subarray(0, index))).toBeNull();
    }
  });

  it('refuses keys of other lengths, and none', () => {
    expect(() => new Keyring([new Uint8Array(20)])).toThrow(RangeError);
    expect(() => new Keyring([])).toThrow(RangeError);
  });
});
