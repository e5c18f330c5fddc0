// The log's arithmetic: what it holds, where two logs may meet, and that a missing entry never
// looks like term 0.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RaftLog } from './raft-log';
import type { LogEntry } from './types';

const entry = (index: number, term: number, bytes = 0): LogEntry => ({
  index,
  term,
  kind: 'command',
  data: new Uint8Array(bytes),
});
const logOf = (terms: readonly number[], snapshotIndex = 0, snapshotTerm = 0): RaftLog =>
  new RaftLog(
    snapshotIndex,
    snapshotTerm,
    terms.map((term, i) => entry(snapshotIndex + 1 + i, term)),
  );

describe('raft log', () => {
  it('has no term for entries that it does not hold (bug 16)', () => {
    const log = logOf([4, 4, 5], 10, 3);
    expect([9, 10, 11, 13, 14].map((index) => log.termAt(index))).toEqual([null, 3, 4, 5, null]);
    expect(logOf([]).termAt(0)).toBe(0);
  });

  it('refuses gaps and falling terms', () => {
    const log = logOf([1, 2]);
    expect(() => log.append(entry(4, 2))).toThrow('raft:');
    expect(() => log.append(entry(3, 1))).toThrow('raft:');
  });

  it('slices by bytes, with one entry at least', () => {
    const log = new RaftLog(0, 0, [entry(1, 1, 100), entry(2, 1, 10), entry(3, 1, 10)]);
    const sizes = (from: number, to: number, maxBytes: number): number =>
      log.slice(from, to, maxBytes).length;
    expect([
      sizes(1, 3, 1),
      sizes(1, 3, 142),
      sizes(1, 3, 168),
      sizes(2, 2, 1000),
      sizes(4, 9, 9),
    ]).toEqual([1, 2, 3, 1, 0]);
  });

  it.each([
    [5, 3, true],
    [4, 3, false],
    [9, 2, false],
    [1, 4, true],
  ])('takes a candidate with last %d@%d for up to date: %s', (lastIndex, lastTerm, expected) => {
    expect(logOf([1, 1, 1, 1, 3]).isUpToDate(lastIndex, lastTerm)).toBe(expected);
  });

  it('finds the meeting place as a plain scan would, after any truncation', () => {
    const terms = fc.array(fc.nat(2), { maxLength: 20 }).map((steps) => {
      let term = 1;
      return steps.map((step) => (term += step));
    });
    fc.assert(
      fc.property(terms, fc.nat(25), fc.nat(45), fc.nat(20), (given, index, term, cut) => {
        const log = logOf(given);
        const kept = given.slice(0, cut);
        if (cut < given.length) log.truncateFrom(cut + 1);
        let expected = Math.min(index, kept.length);
        while (expected > 0 && (kept[expected - 1] ?? 0) > term) expected -= 1;
        expect(log.lastIndexWithTermAtMost(index, term)).toBe(expected);
        expect(log.lastTerm).toBe(kept[kept.length - 1] ?? 0);
      }),
    );
  });
});
