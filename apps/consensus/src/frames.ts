// The form of what replicas send each other: one frame holds all that one turn has for a peer. A head says whose word it is: form,
// incarnation of the cluster, protocol, sender. Then messages, each after its length. Knows nothing of NATS.

import { decodeRaftMessage, encodeRaftMessage, type RaftMessage } from '@skein/raft';
import type { ReplicaNotice } from '@skein/replica';

/** Below the server's payload limit of 1 MiB; the core keeps a single message below 768 KiB and its head. */
const maxFrameBytes = 900 * 1024;
const lengthBytes = 4;
const frameVersion = 2;
/** Version, epoch, protocol, length of the name. */
const fixedHeadBytes = 1 + 4 + 2 + 1;
/** First byte of a notice, where a Raft message has its version. */
const noticeMark = 0xf0;

export interface FrameHead {
  /** Grows with each recovery of the cluster from a part of itself. */
  readonly epoch: number;
  /** The newest cluster protocol that the sender understands. */
  readonly protocolMax: number;
  readonly from: string;
}

export interface Frame {
  readonly head: FrameHead;
  readonly messages: readonly RaftMessage[];
  readonly notices: readonly ReplicaNotice[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeMessage(message: RaftMessage): Uint8Array {
  return encodeRaftMessage(message);
}

export function encodeNotice(notice: ReplicaNotice): Uint8Array {
  const json = encoder.encode(JSON.stringify(notice));
  const bytes = new Uint8Array(json.length + 1);
  bytes[0] = noticeMark;
  bytes.set(json, 1);
  return bytes;
}

/** At least one frame: without parts it carries its head alone. */
export function framesOf(head: FrameHead, messages: readonly Uint8Array[]): Uint8Array[] {
  const name = encoder.encode(head.from);
  const headBytes = fixedHeadBytes + name.length;
  const frames: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  let size = headBytes;
  for (const message of messages) {
    const needed = lengthBytes + message.length;
    if (parts.length > 0 && size + needed > maxFrameBytes) {
      frames.push(joined(head, name, parts, size));
      [parts, size] = [[], headBytes];
    }
    parts.push(message);
    size += needed;
  }
  if (parts.length > 0 || frames.length === 0) frames.push(joined(head, name, parts, size));
  return frames;
}

function joined(
  { epoch, protocolMax }: FrameHead,
  name: Uint8Array,
  parts: readonly Uint8Array[],
  size: number,
): Uint8Array {
  const frame = new Uint8Array(size);
  const view = new DataView(frame.buffer);
  frame[0] = frameVersion;
  view.setUint32(1, epoch);
  view.setUint16(5, protocolMax);
  frame[7] = name.length;
  frame.set(name, fixedHeadBytes);
  let at = fixedHeadBytes + name.length;
  for (const part of parts) {
    view.setUint32(at, part.length);
    frame.set(part, at + lengthBytes);
    at += lengthBytes + part.length;
  }
  return frame;
}

/** The head alone, so that what must not be listened to is not even read. Null if there is none. */
export function decodeHead(frame: Uint8Array): { head: FrameHead; length: number } | null {
  if (frame.length < fixedHeadBytes || frame[0] !== frameVersion) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const length = fixedHeadBytes + (frame[7] ?? 0);
  if (frame.length < length) return null;
  const from = textOf(frame.subarray(fixedHeadBytes, length));
  if (from === null || from === '') return null;
  return { head: { epoch: view.getUint32(1), protocolMax: view.getUint16(5), from }, length };
}

export function decodeFrame(
  received: Uint8Array,
  onMalformed: (fault: string) => void,
): Frame | null {
  // Entries live on as views on these bytes, and the client's buffer holds other messages too: a copy frees it.
  const bytes = new Uint8Array(received);
  const found = decodeHead(bytes);
  if (found === null) {
    onMalformed('head');
    return null;
  }
  const messages: RaftMessage[] = [];
  const notices: ReplicaNotice[] = [];
  const view = new DataView(bytes.buffer);
  let at = found.length;
  while (at < bytes.length) {
    const left = bytes.length - at - lengthBytes;
    const length = left < 0 ? Infinity : view.getUint32(at);
    if (length > left) {
      onMalformed('frame');
      break;
    }
    at += lengthBytes;
    const part = bytes.subarray(at, at + length);
    at += length;
    if (part[0] === noticeMark) {
      const notice = decodeNotice(part.subarray(1));
      if (notice === null) onMalformed('notice');
      else notices.push(notice);
      continue;
    }
    const decoded = decodeRaftMessage(part);
    if ('message' in decoded) messages.push(decoded.message);
    else onMalformed(decoded.error);
  }
  return { head: found.head, messages, notices };
}

function decodeNotice(bytes: Uint8Array): ReplicaNotice | null {
  const text = textOf(bytes);
  if (text === null) return null;
  try {
    const notice = JSON.parse(text) as ReplicaNotice;
    if (typeof notice.from !== 'string') return null;
    if (notice.kind === 'removed') return Number.isInteger(notice.index) ? notice : null;
    if (notice.kind === 'origin') return isOrigin(notice) ? notice : null;
    if (notice.kind !== 'standing') return null;
    const isWhole = Number.isInteger(notice.protocolMax) && Array.isArray(notice.hashPoints);
    return isWhole ? notice : null;
  } catch {
    return null;
  }
}

function isOrigin({ origin, asks }: Extract<ReplicaNotice, { kind: 'origin' }>): boolean {
  return ['fresh', 'begun'].includes(origin) && typeof asks === 'boolean';
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
