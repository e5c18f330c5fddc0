// Round trips of every message, and a fuzz of what hostile or broken peers may send.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Member } from '../member';
import type { SwimMessage } from '../message';
import { crc32 } from './crc32';
import { decodeSwimFrame, encodeSwimFrame, frameKinds, swimFrameBytes } from './frame-codec';
import { decodeSwimMessage, encodeSwimMessage, swimMessageBytes } from './message-codec';

const name = fc.string({ minLength: 1, maxLength: 24, unit: 'grapheme' });
const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const meta = fc.record({
  bootId: fc.string({ maxLength: 40, unit: 'grapheme' }),
  tags: fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 12 }), {
    maxKeys: 8,
    noNullPrototype: true,
  }),
});
const address = fc.ipV4().map((ip) => `${ip}:7946`);
const state = fc.constantFrom<Member['state']>('alive', 'suspect', 'dead', 'left');
const identity = { name, address, incarnation: number, meta };

const message: fc.Arbitrary<SwimMessage> = fc.oneof(
  fc.record({ kind: fc.constant('ping' as const), seq: number, source: name, target: name }),
  fc.record({
    kind: fc.constant('pingReq' as const),
    seq: number,
    source: name,
    target: name,
    targetAddress: address,
  }),
  fc.record({ kind: fc.constantFrom('ack' as const, 'nack' as const), seq: number }),
  fc.record({ kind: fc.constant('alive' as const), ...identity }),
  fc.record({
    kind: fc.constantFrom('suspect' as const, 'dead' as const),
    name,
    incarnation: number,
    accuser: name,
  }),
  fc.record({
    kind: fc.constant('pushPull' as const),
    phase: fc.constantFrom('request' as const, 'reply' as const),
    source: name,
    members: fc.array(fc.record({ ...identity, state }), { maxLength: 5 }),
  }),
);

describe('crc32', () => {
  it('gives the check value of the standard', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  });
});

describe('message codec', () => {
  it('returns what it was given', () => {
    fc.assert(
      fc.property(message, (given) => {
        expect(decodeSwimMessage(encodeSwimMessage(given))).toEqual({ ok: true, message: given });
      }),
    );
  });

  it('counts what it would write', () => {
    fc.assert(
      fc.property(message, fc.array(message, { maxLength: 4 }), (given, others) => {
        expect(swimMessageBytes(given)).toBe(encodeSwimMessage(given).length);
        expect(swimFrameBytes(others)).toBe(encodeSwimFrame(others).length);
      }),
    );
  });

  it('refuses a message that is cut short anywhere', () => {
    fc.assert(
      fc.property(message, fc.nat(), (given, cut) => {
        const bytes = encodeSwimMessage(given);
        expect(decodeSwimMessage(bytes.subarray(0, cut % bytes.length)).ok).toBe(false);
      }),
    );
  });

  it('answers any bytes with a message or a refusal', () => {
    fc.assert(
      fc.property(fc.nat(9), fc.uint8Array({ maxLength: 300 }), (kind, rest) => {
        const decoded = decodeSwimMessage(Uint8Array.of(kind, ...rest));
        expect(typeof decoded.ok).toBe('boolean');
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses meta beyond its limit', () => {
    const tags = { long: 'x'.repeat(500) };
    const bytes = encodeSwimMessage({
      kind: 'alive',
      name: 'a',
      address: '10.0.0.1:7946',
      incarnation: 1,
      meta: { bootId: 'b', tags },
    });
    expect(decodeSwimMessage(bytes)).toMatchObject({ ok: false, code: 'fieldTooLong' });
  });
});

describe('frame codec', () => {
  const ack: SwimMessage = { kind: 'ack', seq: 300 };

  it('carries several messages', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
        expect(decodeSwimFrame(encodeSwimFrame(messages))).toEqual({ ok: true, messages });
      }),
    );
  });

  it('refuses a frame with any one bit turned', () => {
    const frame = encodeSwimFrame([ack, { kind: 'ping', seq: 1, source: 'a', target: 'b' }]);
    for (let bit = 0; bit < frame.length * 8; bit += 1) {
      const turned = frame.slice();
      turned[bit >> 3] = (turned[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(decodeSwimFrame(turned).ok).toBe(false);
    }
  });

  it.each([
    ['nothing', [], 'truncated'],
    ['an encrypted frame', [frameKinds.encrypted, 1, 2], 'encryptedFrame'],
    ['another protocol', [0x47, 0x45, 0x54], 'unknownFrameKind'],
    ['a later version', [frameKinds.plain, 2, 0, 0, 0, 0], 'unsupportedVersion'],
    ['a wrong checksum', [frameKinds.plain, 1, 0, 0, 0, 1, 0], 'checksumMismatch'],
  ])('names the fault of %s', (_what, bytes, code) => {
    expect(decodeSwimFrame(Uint8Array.from(bytes))).toEqual({ ok: false, code });
  });
});
