// Raft's messages between replicas over NATS: each replica listens on a subject of its own. All that one turn has for a peer
// goes as one frame. Best effort, as Raft expects: what can't be sent is lost.

import { subjectPrefix } from '@skein/contracts';
import type { Messenger, Subscription } from '@skein/messaging';
import {
  decodeRaftMessage,
  encodeRaftMessage,
  type Envelope,
  type NodeId,
  type RaftMessage,
} from '@skein/raft';

/** Below the server's payload limit of 1 MiB; the core keeps a single message below 768 KiB and its head. */
const maxFrameBytes = 900 * 1024;
const lengthBytes = 4;

export interface PeersOptions {
  readonly messenger: Messenger;
  readonly clusterId: string;
  readonly replicaId: string;
  readonly receive: (message: RaftMessage) => void;
  /** A frame or a message in it could not be read. */
  readonly onMalformed: (fault: string) => void;
}

export class Peers {
  private readonly outgoing = new Map<NodeId, RaftMessage[]>();
  private subscription: Subscription | undefined;

  constructor(private readonly options: PeersOptions) {}

  listen(): void {
    const { messenger, replicaId } = this.options;
    this.subscription = messenger.subscribeBytes(this.subject(replicaId), (frame) => {
      for (const message of decodeFrame(frame, this.options.onMalformed)) {
        this.options.receive(message);
      }
    });
  }

  stop(): void {
    this.subscription?.unsubscribe();
  }

  send({ to, message }: Envelope): void {
    if (this.outgoing.size === 0) queueMicrotask(() => this.flush());
    const waiting = this.outgoing.get(to);
    if (waiting === undefined) this.outgoing.set(to, [message]);
    else waiting.push(message);
  }

  private flush(): void {
    // Peers often get the same message object: encoded once.
    const encoded = new Map<RaftMessage, Uint8Array>();
    for (const [to, messages] of this.outgoing) {
      const parts = messages.map((message) => {
        const bytes = encoded.get(message) ?? encodeRaftMessage(message);
        encoded.set(message, bytes);
        return bytes;
      });
      for (const frame of framesOf(parts)) {
        this.options.messenger.publishBytes(this.subject(to), frame);
      }
    }
    this.outgoing.clear();
  }

  private subject(replicaId: string): string {
    return raftSubject(this.options.clusterId, replicaId);
  }
}

export function raftSubject(clusterId: string, replicaId: string): string {
  return `${subjectPrefix.split('.')[0]}.raft.${clusterId}.${replicaId}`;
}

export function framesOf(messages: readonly Uint8Array[]): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  let size = 0;
  for (const message of messages) {
    const needed = lengthBytes + message.length;
    if (size > 0 && size + needed > maxFrameBytes) {
      frames.push(joined(parts, size));
      [parts, size] = [[], 0];
    }
    parts.push(message);
    size += needed;
  }
  if (size > 0) frames.push(joined(parts, size));
  return frames;
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const frame = new Uint8Array(size);
  const view = new DataView(frame.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length);
    frame.set(part, at + lengthBytes);
    at += lengthBytes + part.length;
  }
  return frame;
}

export function decodeFrame(
  received: Uint8Array,
  onMalformed: (fault: string) => void,
): RaftMessage[] {
  // Entries live on as views on these bytes, and the client's buffer holds other messages too: a copy frees it.
  const frame = new Uint8Array(received);
  const view = new DataView(frame.buffer);
  const messages: RaftMessage[] = [];
  let at = 0;
  while (at < frame.length) {
    const left = frame.length - at - lengthBytes;
    const length = left < 0 ? Infinity : view.getUint32(at);
    if (length > left) {
      onMalformed('frame');
      break;
    }
    at += lengthBytes;
    const decoded = decodeRaftMessage(frame.subarray(at, at + length));
    if ('message' in decoded) messages.push(decoded.message);
    else onMalformed(decoded.error);
    at += length;
  }
  return messages;
}
