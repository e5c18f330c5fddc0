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

  it('keeps its arithmetic whatever is compacted, truncated and appended (bug 16)', () => {
    const operation = fc.tuple(fc.constantFrom('append', 'truncate', 'compact'), fc.nat(2000));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const log = logOf([]);
        const terms: number[] = [];
        let compacted = 0;
        let compactedTerm = 0;
        for (const [kind, amount] of operations) {
          const kept = terms.length - compacted;
          if (kind === 'append') {
            const term = Math.max(terms[terms.length - 1] ?? 1, compactedTerm) + (amount % 2);
            for (let i = 0; i <= amount; i += 1) {
              terms.push(term);
              log.append(entry(terms.length, term));
            }
          } else if (kind === 'compact') {
            const index = compacted + (amount % (kept + 1));
            log.compactTo(index);
            compactedTerm = index > compacted ? (terms[index - 1] ?? 0) : compactedTerm;
            compacted = index;
          } else if (kept > 0) {
            terms.length = compacted + (amount % kept);
            log.truncateFrom(terms.length + 1);
          }
        }
        expect([log.firstIndex, log.lastIndex]).toEqual([compacted + 1, terms.length]);
        expect(log.termAt(compacted - 1)).toBeNull();
        expect(log.termAt(compacted)).toBe(compactedTerm);
        expect(log.termAt(terms.length + 1)).toBeNull();
        expect(log.lastTerm).toBe(terms[terms.length - 1] ?? compactedTerm);
        const held = log.slice(compacted + 1, Infinity, Infinity);
        expect(held.map((each) => each.term)).toEqual(terms.slice(compacted));
        expect(held[0]?.index ?? compacted + 1).toBe(compacted + 1);
      }),
      { numRuns: 50 },
    );
  });

  it('compacts at a cost that does not grow with what is kept', () => {
    const log = logOf([1]);
    for (let index = 2; index <= 200_000; index += 1) log.append(entry(index, 1));
    for (let index = 1; index <= 100_000; index += 1) log.compactTo(index);
    expect([log.firstIndex, log.entryAt(100_001).index]).toEqual([100_001, 100_001]);
  });

  it('starts anew after a snapshot', () => {
    const log = logOf([1, 1, 2]);
    log.restore(9, 4);
    expect([log.firstIndex, log.lastIndex, log.lastTerm]).toEqual([10, 9, 4]);
    expect([log.termAt(3), log.termAt(8), log.termAt(9)]).toEqual([null, null, 4]);
    log.append(entry(10, 4));
    expect(log.entryAt(10).term).toBe(4);
  });
});
