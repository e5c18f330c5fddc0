// CRC-32 (IEEE 802.3), eight bytes a step. Finds bytes that a disk or a wire has changed; protects against no adversary.
// Written out because a pure core imports no node builtin.

const tables = Array.from({ length: 8 }, () => new Int32Array(256));

function fill(): void {
  const [first] = tables as [Int32Array];
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    first[byte] = crc;
  }
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = first[byte] ?? 0;
    for (const table of tables.slice(1)) {
      crc = (first[crc & 255] ?? 0) ^ (crc >>> 8);
      table[byte] = crc;
    }
  }
}
fill();

const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** The checksum of `bytes`; `seed` is that of what came before, so that pieces can be chained. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  const whole = bytes.length - (bytes.length % 8);
  let crc = ~seed;
  let at = 0;
  for (; at < whole; at += 8) {
    crc ^= word(bytes, at);
    const high = word(bytes, at + 4);
    crc =
      t7[crc & 255]! ^
      t6[(crc >>> 8) & 255]! ^
      t5[(crc >>> 16) & 255]! ^
      t4[crc >>> 24]! ^
      t3[high & 255]! ^
      t2[(high >>> 8) & 255]! ^
      t1[(high >>> 16) & 255]! ^
      t0[high >>> 24]!;
  }
  for (; at < bytes.length; at += 1) crc = t0[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
