// The wire format: whatever is encoded comes back equal, and no bytes whatsoever make the decoder
// throw.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeConfiguration,
  decodeRaftMessage,
  encodeConfiguration,
  encodeRaftMessage,
} from './codec';
import type { RaftMessage } from './messages';
import type { LogEntry } from './types';

const integer = fc.oneof(fc.nat(1000), fc.maxSafeNat());
const from = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
const bytes = fc.uint8Array({ maxLength: 100 });
const names = fc.array(from, { maxLength: 5 });
const configuration = fc.record(
  {
    incoming: names,
    outgoing: names,
    learners: names,
    learnersNext: fc.array(from, { minLength: 1, maxLength: 5 }),
    autoLeave: fc.constant(true),
  },
  { requiredKeys: ['incoming', 'outgoing', 'learners'] },
);
const mark = fc.option(
  fc.record({ recovery: integer, isVoteLost: fc.constant(true) }, { requiredKeys: ['recovery'] }),
  { nil: {} },
);
const marked = <T extends object>(shape: fc.Arbitrary<T>): fc.Arbitrary<T & object> =>
  fc.tuple(shape, mark).map(([message, recovering]) => ({ ...message, ...recovering }));

const append = fc
  .record({
    from,
    prevIndex: fc.nat(1_000_000),
    commit: integer,
    steps: fc.array(fc.tuple(fc.nat(3), fc.constantFrom('noop', 'command'), bytes)),
  })
  .map(({ from: sender, prevIndex, commit, steps }): RaftMessage => {
    let term = 1;
    const entries = steps.map(([step, kind, data], i): LogEntry => {
      term += step;
      return { index: prevIndex + 1 + i, term, kind: kind as LogEntry['kind'], data };
    });
    return {
      kind: 'append',
      from: sender,
      term: term + 1,
      prevIndex,
      prevTerm: 1,
      commit,
      entries,
    };
  });

const snapshotHeader = fc
  .record({ index: integer, configuration, back: fc.nat(100) })
  .map(({ index, configuration: given, back }) => ({
    index,
    term: 3,
    configuration: given,
    configurationIndex: Math.max(0, index - back),
  }));

const message: fc.Arbitrary<RaftMessage> = fc.oneof(
  append,
  fc.record({
    kind: fc.constantFrom('preVote', 'vote'),
    from,
    term: integer,
    lastIndex: integer,
    lastTerm: integer,
    transfer: fc.boolean(),
  }),
  fc.record({
    kind: fc.constantFrom('preVoteResponse', 'voteResponse'),
    from,
    term: integer,
    granted: fc.boolean(),
  }),
  marked(
    fc.record({
      kind: fc.constant('appendResponse'),
      from,
      term: integer,
      accepted: fc.boolean(),
      index: integer,
      hintIndex: integer,
      hintTerm: integer,
    }),
  ),
  fc.record({
    kind: fc.constant('heartbeat'),
    from,
    term: integer,
    commit: integer,
    round: integer,
  }),
  fc.record({
    kind: fc.constant('heartbeat'),
    from,
    term: integer,
    commit: integer,
    round: integer,
    endsRecovery: integer,
  }),
  marked(
    fc.record({ kind: fc.constant('heartbeatResponse'), from, term: integer, round: integer }),
  ),
  fc.record({ kind: fc.constant('readIndex'), from, term: integer, batch: integer }),
  fc.record({
    kind: fc.constant('readIndexResponse'),
    from,
    term: integer,
    batch: integer,
    index: integer,
    confirmed: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('timeoutNow'), from, term: integer }),
  fc.record({
    kind: fc.constant('installSnapshot'),
    from,
    term: fc.integer({ min: 3, max: 1000 }),
    snapshot: snapshotHeader,
    offset: fc.nat(1000),
    size: fc.integer({ min: 1100, max: 2 ** 40 }),
    data: bytes,
    crc: fc.nat(2 ** 31),
  }),
  marked(
    fc.record({
      kind: fc.constant('installSnapshotResponse'),
      from,
      term: integer,
      index: integer,
      offset: integer,
      accepted: fc.boolean(),
    }),
  ),
);

const heartbeat: RaftMessage = { kind: 'heartbeat', from: 'n1', term: 3, commit: 2, round: 7 };

describe('raft message codec', () => {
  it('gives back every message that it encoded', () => {
    fc.assert(
      fc.property(message, (given) => {
        expect(decodeRaftMessage(encodeRaftMessage(given))).toEqual({ message: given });
      }),
      { numRuns: 500 },
    );
  });

  it('speaks version 1 to whoever knows no other, wherever nothing is lost by it', () => {
    const answer = { kind: 'heartbeatResponse', from: 'n1', term: 3, round: 7 } as const;
    const version = (given: RaftMessage): number => encodeRaftMessage(given)[0] ?? 0;
    expect([version(heartbeat), version(answer)]).toEqual([1, 1]);
    expect(version({ ...answer, recovery: 9 })).toBe(2);
    const plain = { incoming: ['n1'], outgoing: [], learners: [] };
    expect(encodeConfiguration(plain)[0]).toBe(1);
    expect(encodeConfiguration({ ...plain, autoLeave: true })[0]).toBe(2);
  });

  it('names the fault of every shortened message', () => {
    fc.assert(
      fc.property(message, fc.nat(), (given, cut) => {
        const encoded = encodeRaftMessage(given);
        const shortened = encoded.subarray(0, cut % encoded.length);
        expect(decodeRaftMessage(shortened)).toHaveProperty('error');
      }),
      { numRuns: 500 },
    );
  });

  it('answers any bytes, without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(12), (noise, kind) => {
        decodeRaftMessage(noise);
        decodeRaftMessage(Uint8Array.from([1, kind, ...noise]));
        decodeRaftMessage(Uint8Array.from([2, kind, ...noise]));
      }),
      { numRuns: 2000 },
    );
  });

  it('survives any single changed byte', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(255), (given, at, value) => {
        const encoded = Uint8Array.from(encodeRaftMessage(given));
        encoded[at % encoded.length] = value;
        const decoded = decodeRaftMessage(encoded);
        expect('error' in decoded || 'message' in decoded).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['nothing', Uint8Array.of(), 'truncated'],
    ['another version', Uint8Array.of(3, 0), 'version'],
    ['an unknown kind', Uint8Array.of(1, 200), 'kind'],
    ['a version alone', Uint8Array.of(1), 'truncated'],
    [
      'more bytes than the message has',
      Uint8Array.from([...encodeRaftMessage(heartbeat), 0]),
      'trailing',
    ],
    [
      'a name that is not UTF-8',
      Uint8Array.from([1, 10, 1, 0xff, 0, 0, 0, 0, 0, 0, 0, 1]),
      'value',
    ],
    [
      'a term beyond the safe integers',
      Uint8Array.from([1, 10, 1, 65, 255, 0, 0, 0, 0, 0, 0, 1]),
      'value',
    ],
  ])('refuses %s', (_name, bytesGiven, error) => {
    expect(decodeRaftMessage(bytesGiven)).toEqual({ error });
  });

  it.each([
    ['fall', [5, 4], 6],
    ['pass the term of the message', [5, 7], 6],
    ['lie below the previous one', [1, 1], 6],
  ])('refuses entries whose terms %s', (_name, terms, term) => {
    const entries = terms.map((each, i): LogEntry => {
      return { index: 11 + i, term: each, kind: 'command', data: new Uint8Array(3) };
    });
    const given = {
      kind: 'append',
      from: 'n1',
      term,
      prevIndex: 10,
      prevTerm: 2,
      commit: 0,
      entries,
    } as const;
    expect(decodeRaftMessage(encodeRaftMessage(given))).toEqual({ error: 'value' });
  });

  it('gives back every configuration, and null for its torn bytes', () => {
    fc.assert(
      fc.property(configuration, (given) => {
        const encoded = encodeConfiguration(given);
        expect(decodeConfiguration(encoded)).toEqual(given);
        expect(decodeConfiguration(encoded.subarray(0, encoded.length - 1))).toBeNull();
      }),
    );
  });
});
