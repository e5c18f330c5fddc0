import { describe, expect, it } from '@jest/globals';
import packet from 'dns-packet';
import fc from 'fast-check';
import { answerMessage } from './dns-message';
import { Zone } from './zone';

const network = {
  id: 'n',
  name: 'web',
  vni: 1,
  mtu: 1450,
  internal: false,
  subnets: [{ cidr: '10.1.0.0/16', gateway: '10.1.0.1', reserved: {} }],
};
const zone = new Zone(
  network,
  Array.from({ length: 100 }, (_, index) => ({
    id: `e${index}`,
    networkId: 'n',
    host: 'h1',
    name: `c${index}`,
    aliases: [],
    service: 'shop',
    addresses: [`10.1.1.${index}/16`],
    mac: '02:00:00:00:00:05',
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
const answered = (message: Buffer, via: 'datagram' | 'stream' = 'datagram') => {
  const answer = answerMessage(message, zone, { via, turn: 0 });
  if (answer === null) throw new Error('no answer');
  return { bytes: answer, ...packet.decode(answer) } as ReturnType<typeof packet.decode> & {
    bytes: Buffer;
    rcode: string;
  };
};

describe('answerMessage', () => {
  it('gives the address, the question and the id back', () => {
    const answer = answered(question('C7.web'));
    expect(answer).toMatchObject({ id: 77, rcode: 'NOERROR', flag_aa: true, flag_rd: true });
    expect(answer.questions?.[0]?.name).toBe('C7.web');
    expect(answer.answers).toMatchObject([{ name: 'C7.web', data: '10.1.1.7', ttl: 5 }]);
  });

  it.each([
    ['nobody', 'NXDOMAIN'],
    ['example.com', 'REFUSED'],
  ])('answers %s with %s', (name, code) => {
    expect(answered(question(name)).rcode).toBe(code);
  });

  it('sends what a datagram can’t hold to the stream', () => {
    const short = answered(question('shop'));
    expect(short.flag_tc).toBe(true);
    expect(short.bytes.length).toBeLessThanOrEqual(512);
    expect(answered(question('shop'), 'stream').answers).toHaveLength(100);
  });

  it('speaks EDNS to those who do', () => {
    const opt = {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 4096,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    };
    expect(answered(question('c1', { additionals: [opt] })).additionals).toHaveLength(1);
    expect(answered(question('c1')).additionals).toHaveLength(0);
  });

  it.each([
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
    ['an update', question('c1', { flags: 5 << 11 }), 'NOTIMP'],
    [
      'another class',
      question('c1', { questions: [{ type: 'A', name: 'c1', class: 'CH' }] }),
      'REFUSED',
    ],
    ['a cut question', question('c1').subarray(0, 14), 'FORMERR'],
  ])('refuses %s', (_name, message, code) => {
    expect(answered(message).rcode).toBe(code);
  });

  it('says nothing to an answer, and to what is no message', () => {
    const response = packet.encode({ type: 'response', id: 1, questions: [] });
    expect(answerMessage(response, zone, { via: 'datagram', turn: 0 })).toBeNull();
    expect(answerMessage(Buffer.alloc(3), zone, { via: 'datagram', turn: 0 })).toBeNull();
  });

  it('survives any bytes', () => {
    const whole = question('c1');
    const mutated = fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, value]) => {
      const copy = Buffer.from(whole);
      copy[at] = value;
      return copy;
    });
    const any = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(mutated, any), (message) => {
        const answer = answerMessage(message, zone, { via: 'datagram', turn: 1 });
        if (answer !== null) packet.decode(answer);
      }),
      { numRuns: 3_000 },
    );
  });
});
