// Frames between replicas: whatever goes in comes out, in order, and garbage is told and dropped.

import { describe, expect, it } from '@jest/globals';
import { encodeRaftMessage, type RaftMessage } from '@skein/raft';
import { decodeFrame, encodeNotice, framesOf } from './frames';

const heartbeat = (round: number): RaftMessage => ({
  kind: 'heartbeat',
  from: 'r1',
  term: 3,
  commit: 2,
  round,
});
const append = (bytes: number): RaftMessage => ({
  kind: 'append',
  from: 'r1',
  term: 3,
  prevIndex: 4,
  prevTerm: 3,
  commit: 4,
  entries: [{ index: 5, term: 3, kind: 'command', data: new Uint8Array(bytes).fill(7) }],
});
const head = { epoch: 7, protocolMax: 2, from: 'r1' };
const encode = (messages: readonly RaftMessage[]) =>
  framesOf(head, messages.map(encodeRaftMessage));
const decode = (frame: Uint8Array, faults: string[] = []) =>
  decodeFrame(frame, (fault) => faults.push(fault))?.messages ?? null;

describe('frames between replicas', () => {
  it('carry many messages at once', () => {
    const messages = [heartbeat(1), append(10), heartbeat(2)];
    const frames = encode(messages);
    expect(frames).toHaveLength(1);
    expect(frames.flatMap((frame) => decode(frame) ?? [])).toEqual(messages);
  });

  it('stay below the payload limit', () => {
    const messages = [append(500_000), append(500_000), heartbeat(1)];
    const frames = encode(messages);
    expect(frames).toHaveLength(2);
    expect(Math.max(...frames.map(({ length }) => length))).toBeLessThan(1024 * 1024);
    expect(frames.flatMap((frame) => decode(frame) ?? [])).toHaveLength(3);
  });

  it('do not share memory with the bytes that were received', () => {
    const [frame = new Uint8Array()] = encode([append(4)]);
    const [message] = decode(frame) ?? [];
    frame.fill(0);
    expect(message).toEqual(append(4));
  });

  it('tell what can’t be read and keep what can', () => {
    const [frame = new Uint8Array()] = encode([heartbeat(1), heartbeat(2)]);
    const faults: string[] = [];
    expect(decode(frame.subarray(0, frame.length - 1), faults)).toEqual([heartbeat(1)]);
    const [bare = new Uint8Array()] = framesOf(head, []);
    expect(decode(new Uint8Array([...bare, 0, 0, 0, 1, 99]), faults)).toEqual([]);
    expect(decode(new Uint8Array([...bare, 0, 0]), faults)).toEqual([]);
    expect(decode(new Uint8Array([0, 0, 0, 1, 99]), faults)).toBeNull();
    expect(faults).toEqual(['frame', 'version', 'frame', 'head']);
  });

  it('carry notices beside messages, and say whose word it is', () => {
    const notice = { kind: 'removed', from: 'r1', index: 9 } as const;
    const origin = { kind: 'origin', from: 'r1', origin: 'fresh', asks: true } as const;
    const parts = [encodeRaftMessage(heartbeat(1)), encodeNotice(notice), encodeNotice(origin)];
    const [frame = new Uint8Array()] = framesOf(head, parts);
    const messages = [heartbeat(1)];
    const notices = [notice, origin];
    expect(decodeFrame(frame, () => undefined)).toEqual({ head, messages, notices });
  });
});
