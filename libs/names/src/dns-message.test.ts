import { describe, expect, it } from '@jest/globals';
import packet from 'dns-packet';
import fc from 'fast-check';
import { largestQuestionBytes, readMessage, replyTo } from './dns-message';
import { Zone } from './zone';

const network = { name: 'web', subnets: [{ cidr: '10.1.0.0/16', gateway: '10.1.0.1' }] };
const zone = new Zone(
  network,
  Array.from({ length: 100 }, (_, index) => ({
    name: `c${index}`,
    aliases: [],
    service: 'shop',
    addresses: [`10.1.1.${index}/16`],
  })),
);
const question = (name: string, more: object = {}) =>
  packet.encode({
    type: 'query',
    id: 77,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type: 'A', name }],
    ...more,
  });
const opt = (more: object = {}) => ({
  type: 'OPT',
  name: '.',
  udpPayloadSize: 4096,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
  ...more,
});

type Decoded = ReturnType<typeof packet.decode> & { bytes: Buffer; rcode: string };

/** As a resolver does, with a zone alone. */
function answer(message: Buffer, via: 'datagram' | 'stream' = 'datagram', forwards = false) {
  const read = readMessage(message, via);
  if (read.kind !== 'question') return read.kind === 'refusal' ? read.reply : null;
  const found = zone.answer(read.question, 0);
  if (found.code === 'found') {
    return replyTo(read.question, { code: 'noError', records: found.records, forwards });
  }
  const code = found.code === 'nameUnknown' ? 'nameUnknown' : 'refused';
  return replyTo(read.question, { code, forwards });
}

function answered(message: Buffer, via: 'datagram' | 'stream' = 'datagram', forwards = false) {
  const bytes = answer(message, via, forwards);
  if (bytes === null) throw new Error('no answer');
  return { bytes, ...packet.decode(bytes) } as Decoded;
}

/** A question's bytes with others in place of the name. */
function named(...name: number[]): Buffer {
  const whole = question('c1');
  return Buffer.concat([whole.subarray(0, 12), Buffer.from(name), whole.subarray(-4)]);
}

describe('an answer', () => {
  it('gives the address, the question and the id back', () => {
    const reply = answered(question('C7.web'));
    expect(reply).toMatchObject({ id: 77, rcode: 'NOERROR', flag_aa: true, flag_rd: true });
    expect(reply.questions?.[0]?.name).toBe('C7.web');
    expect(reply.answers).toMatchObject([{ name: 'C7.web', data: '10.1.1.7', ttl: 5 }]);
  });

  it.each([
    ['nobody', 'NXDOMAIN'],
    ['example.com', 'REFUSED'],
  ])('for %s is %s', (name, code) => {
    expect(answered(question(name)).rcode).toBe(code);
  });

  it('is empty for a name that has no address of the family', () => {
    const v6 = question('c1', { questions: [{ type: 'AAAA', name: 'c1' }] });
    expect(answered(v6)).toMatchObject({ rcode: 'NOERROR', answers: [] });
  });

  it('says whether other names may be asked for', () => {
    expect(answered(question('c1'), 'datagram', true).flag_ra).toBe(true);
    expect(answered(question('c1'), 'datagram', false).flag_ra).toBe(false);
  });

  it('is cut to what a datagram holds, and whole by stream', () => {
    const short = answered(question('shop'));
    expect(short.flag_tc).toBe(true);
    expect(short.bytes.length).toBeLessThanOrEqual(512);
    expect(short.answers?.length).toBeGreaterThan(10);
    expect(answered(question('shop'), 'stream').answers).toHaveLength(100);
  });

  it('is as large as the client takes, and never more than a frame', () => {
    const large = answered(question('shop', { additionals: [opt()] }));
    expect(large.bytes.length).toBeGreaterThan(1_000);
    expect(large.bytes.length).toBeLessThanOrEqual(1_232);
    const tiny = answered(question('shop', { additionals: [opt({ udpPayloadSize: 1 })] }));
    expect(tiny.answers?.length).toBe(short());
  });

  const short = () =>
    (answered(question('shop', { additionals: [opt({ udpPayloadSize: 512 })] })).answers ?? [])
      .length;

  it('speaks EDNS to those who do', () => {
    expect(answered(question('c1', { additionals: [opt()] })).additionals).toHaveLength(1);
    expect(answered(question('c1')).additionals).toHaveLength(0);
  });

  it('is BADVERS to a version that is not known', () => {
    const reply = answered(question('c1', { additionals: [opt({ ednsVersion: 1 })] }));
    expect(reply.answers).toEqual([]);
    expect(reply.additionals).toMatchObject([{ type: 'OPT', extendedRcode: 1 }]);
  });
});

describe('a question', () => {
  const counted = (at: number, count: number) => {
    const message = Buffer.from(question('c1'));
    message.writeUInt16BE(count, at);
    return message;
  };

  it.each<[string, Buffer, string]>([
    [
      'two questions',
      question('c1', {
        questions: [
          { type: 'A', name: 'c1' },
          { type: 'A', name: 'c2' },
        ],
      }),
      'FORMERR',
    ],
    ['no question', question('c1', { questions: [] }), 'FORMERR'],
    ['65 535 questions', counted(4, 0xffff), 'FORMERR'],
    ['answers in it', counted(6, 1), 'FORMERR'],
    ['more additionals than there are', counted(10, 2), 'FORMERR'],
    ['additionals without end', counted(10, 0xffff), 'FORMERR'],
    ['two OPT records', question('c1', { additionals: [opt(), opt()] }), 'FORMERR'],
    ['an update', question('c1', { flags: 5 << 11 }), 'NOTIMP'],
    [
      'another class',
      question('c1', { questions: [{ type: 'A', name: 'c1', class: 'CH' }] }),
      'REFUSED',
    ],
    ['a transfer', question('c1', { questions: [{ type: 'AXFR', name: 'web' }] }), 'REFUSED'],
    ['a cut question', question('c1').subarray(0, 14), 'FORMERR'],
    ['a name that points to itself', named(0xc0, 12), 'FORMERR'],
    ['a name that points ahead', named(0xc0, 14, 1, 97, 0), 'FORMERR'],
    ['a name that points into the header', named(1, 97, 0xc0, 4), 'FORMERR'],
    ['a label of a kind that does not exist', named(0x80, 97, 0), 'FORMERR'],
    ['a dot inside a label', named(3, 97, 46, 98, 0), 'FORMERR'],
    ['a label that is no text', named(63, ...Array.from({ length: 63 }, () => 0xff), 0), 'FORMERR'],
    [
      'a name of more than 255 bytes',
      named(
        ...Array.from({ length: 5 }, () => [63, ...Array.from({ length: 63 }, () => 97)]).flat(),
        0,
      ),
      'FORMERR',
    ],
  ])('with %s is refused', (_name, message, code) => {
    const reply = answered(message);
    expect(reply.rcode).toBe(code);
    expect(reply.answers).toEqual([]);
  });

  it.each<[string, Buffer]>([
    ['an answer', packet.encode({ type: 'response', id: 1, questions: [] })],
    ['less than a header', Buffer.alloc(3)],
    ['too large', Buffer.concat([question('c1'), Buffer.alloc(largestQuestionBytes)])],
  ])('that is %s gets nothing', (_name, message) => {
    expect(answer(message)).toBeNull();
  });

  it('may be any bytes', () => {
    const whole = question('c1', { additionals: [opt()] });
    const mutation = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    const mutated = fc.array(mutation, { minLength: 1, maxLength: 6 }).map((changes) => {
      const copy = Buffer.from(whole);
      for (const [at, value] of changes) copy[at] = value;
      return copy;
    });
    const any = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
    // A right header before anything: what the decoder itself has to do with.
    const headed = any.map((bytes) => Buffer.concat([whole.subarray(0, 12), bytes]));
    const via = fc.constantFrom('datagram' as const, 'stream' as const);
    fc.assert(
      fc.property(fc.oneof(mutated, any, headed), via, (message, way) => {
        const reply = answer(message, way);
        if (reply === null) return;
        packet.decode(reply);
        expect(reply.readUInt16BE(0)).toBe(message.readUInt16BE(0));
        expect(reply.readUInt16BE(2) & 0x8000).not.toBe(0);
        if (way === 'datagram') expect(reply.length).toBeLessThanOrEqual(1_232);
      }),
      { numRuns: 10_000 },
    );
  });
});
