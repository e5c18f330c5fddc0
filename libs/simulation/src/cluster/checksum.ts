// Checksums of the simulated disk: CRC-32 for chunks, as in the real one, and the same chained over
// entries. It must not know what the bytes mean.
import type { LogEntry } from '@skein/raft';

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  return value >>> 0;
});

/** CRC-32 (IEEE), started from an earlier one. */
export function crc32(data: Uint8Array, from = 0): number {
  let value = ~from;
  for (let at = 0; at < data.length; at += 1) {
    value = (value >>> 8) ^ (table[(value ^ (data[at] as number)) & 0xff] as number);
  }
  return ~value >>> 0;
}

/** Covers the entry before it as well, so that none can vanish or move unseen. */
export function chainedSum({ index, term, kind, data }: LogEntry, previous: number): number {
  const head = Math.imul(index, 0x9e3779b1) ^ Math.imul(term, 0x85ebca6b) ^ kind.length;
  return crc32(data, (head ^ previous) >>> 0);
}

/** A copy with one bit turned over. Empty data stays as it is. */
export function flipBit(data: Uint8Array, bit: number): Uint8Array {
  const copy = data.slice();
  const at = (bit >>> 3) % Math.max(1, copy.length);
  if (copy.length > 0) copy[at] = (copy[at] as number) ^ (1 << (bit & 7));
  return copy;
}
