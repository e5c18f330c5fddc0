// Several messages in one frame: kind, version, checksum, parts. The first byte leaves room for an encrypted frame,
// whose plaintext is a plain frame. Never throws for what a peer sent.

import type { SwimMessage } from '../message';
import { ByteReader, ByteWriter, varintBytes, type ReadFault } from './bytes';
import { crc32 } from './crc32';
import { decodeSwimMessage, encodeSwimMessage, swimMessageBytes } from './message-codec';

/** First byte of a frame. */
export const frameKinds = { plain: 0x51, encrypted: 0x52 } as const;
export const frameVersion = 1;

/** Kind, version, checksum and number of parts. */
export const frameHeaderBytes = 7;
/** Length before each part of a datagram. */
export const partHeaderBytes = 2;
/** Kept free in datagrams for an encrypted frame's kind, nonce and tag. */
export const encryptionReserveBytes = 29;
const maxParts = 255;

export type FrameFault =
  ReadFault | 'unknownFrameKind' | 'encryptedFrame' | 'unsupportedVersion' | 'checksumMismatch';

export type SwimFrameDecoded =
  | { readonly ok: true; readonly messages: readonly SwimMessage[] }
  | { readonly ok: false; readonly code: FrameFault };

/** Layout: kind u8, version u8, CRC-32 of the rest u32, parts u8, then each part as varint length and bytes. */
export function encodeSwimFrame(messages: readonly SwimMessage[]): Uint8Array {
  if (messages.length > maxParts) throw new RangeError(`${messages.length} messages in a frame`);
  const body = new ByteWriter();
  body.u8(messages.length);
  for (const message of messages) {
    const part = encodeSwimMessage(message);
    body.varint(part.length);
    body.raw(part);
  }
  const bytes = body.finish();
  const frame = new ByteWriter();
  frame.u8(frameKinds.plain);
  frame.u8(frameVersion);
  frame.u32(crc32(bytes));
  frame.raw(bytes);
  return frame.finish();
}

/** The length of the frame that would be made of these messages. */
export function swimFrameBytes(messages: readonly SwimMessage[]): number {
  let bytes = frameHeaderBytes;
  for (const message of messages) {
    const part = swimMessageBytes(message);
    bytes += varintBytes(part) + part;
  }
  return bytes;
}

export function decodeSwimFrame(bytes: Uint8Array): SwimFrameDecoded {
  const reader = new ByteReader(bytes);
  const kind = reader.u8();
  if (reader.fault !== null) return { ok: false, code: reader.fault };
  if (kind === frameKinds.encrypted) return { ok: false, code: 'encryptedFrame' };
  if (kind !== frameKinds.plain) return { ok: false, code: 'unknownFrameKind' };
  const version = reader.u8();
  const checksum = reader.u32();
  if (reader.fault !== null) return { ok: false, code: reader.fault };
  if (version !== frameVersion) return { ok: false, code: 'unsupportedVersion' };
  if (crc32(bytes.subarray(reader.offset)) !== checksum) {
    return { ok: false, code: 'checksumMismatch' };
  }
  return readParts(reader);
}

function readParts(reader: ByteReader): SwimFrameDecoded {
  const count = reader.u8();
  const messages: SwimMessage[] = [];
  while (messages.length < count && reader.fault === null) {
    const part = reader.raw(reader.varint());
    if (reader.fault !== null) break;
    const decoded = decodeSwimMessage(part);
    if (!decoded.ok) return { ok: false, code: decoded.code };
    messages.push(decoded.message);
  }
  reader.end();
  return reader.fault === null ? { ok: true, messages } : { ok: false, code: reader.fault };
}
