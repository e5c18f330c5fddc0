// What probes say to each other inside the overlay: a short head, then a pattern up to the size that is to be tried. Knows
// neither sockets nor what becomes of an answer.

export interface ProbeFrame {
  readonly kind: 'ask' | 'answer';
  readonly sequence: number;
  /** Whole length in bytes. */
  readonly size: number;
  /** False if the pattern came changed: someone on the way wrote into it and passed the checksum. */
  readonly isIntact: boolean;
}

/** IPv6 and UDP before the frame. */
export const headersBytes = 48;
export const smallestFrameBytes = 64;
const magic = 0x534b5031;
const headBytes = 12;
const kinds = ['ask', 'answer'] as const;

export function encodeProbe(kind: ProbeFrame['kind'], sequence: number, size: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(size, smallestFrameBytes));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  view.setUint16(4, kinds.indexOf(kind));
  view.setUint16(6, bytes.length);
  view.setUint32(8, sequence >>> 0);
  for (let at = headBytes; at < bytes.length; at += 1) bytes[at] = patternAt(sequence, at);
  return bytes;
}

/** Null for what is no probe, or not all of one. */
export function decodeProbe(bytes: Uint8Array): ProbeFrame | null {
  if (bytes.length < smallestFrameBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = kinds[view.getUint16(4)];
  const size = view.getUint16(6);
  if (view.getUint32(0) !== magic || kind === undefined || size !== bytes.length) return null;
  const sequence = view.getUint32(8);
  let isIntact = true;
  for (let at = headBytes; at < size; at += 1) {
    if (bytes[at] !== patternAt(sequence, at)) isIntact = false;
  }
  return { kind, sequence, size, isIntact };
}

function patternAt(sequence: number, at: number): number {
  return (sequence * 31 + at * 7) & 0xff;
}
