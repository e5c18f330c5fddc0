// Tables of majorities, plain and joint, checked against a second way to count. Each is named after the
// table of etcd-io/raft that tells the same story.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { majorityValue, majorityVote, quorumValue, quorumVote } from './quorum';
import type { Configuration } from './types';

const joint = (incoming: string[], outgoing: string[]): Configuration => ({
  incoming,
  outgoing,
  learners: [],
});
const letters = (text: string): string[] => text.split('').filter((letter) => letter !== ' ');

/** `a5 b3` means that a has reached 5. */
function values(text: string): (id: string) => number {
  const known = new Map(
    text.split(' ').map((pair) => [pair.slice(0, 1), Number(pair.slice(1))] as const),
  );
  return (id) => known.get(id) ?? 0;
}

/** `a+ b-` means that a grants and b refuses. */
function votes(text: string): Map<string, boolean> {
  const pairs = text.split(' ').filter((pair) => pair !== '');
  return new Map(pairs.map((pair) => [pair.slice(0, 1), pair.endsWith('+')]));
}

describe('majority_commit and joint_commit', () => {
  it.each([
    ['', 'a1', Infinity],
    ['a', 'a7', 7],
    ['a', 'b7', 0],
    ['ab', 'a7 b3', 3],
    ['abc', 'a7 b3', 3],
    ['abc', 'a7', 0],
    ['abc', 'a7 b7 c1', 7],
    ['abcd', 'a9 b8 c3 d1', 3],
    ['abcde', 'a9 b8 c3 d1', 3],
    ['abcde', 'a1 b2 c3 d4 e5', 3],
  ])('of [%s] with %s is %d', (voters, reached, expected) => {
    expect(majorityValue(letters(voters), values(reached))).toBe(expected);
  });

  it.each([
    ['abc', '', 'a5 b4 c3', 4],
    ['abc', 'abc', 'a5 b4 c3', 4],
    ['abc', 'cde', 'a9 b9 c1 d2 e0', 1],
    ['a', 'bcd', 'a9 b3 c2 d1', 2],
    ['', '', 'a9', Infinity],
    ['', 'abc', 'a5 b4 c3', 4],
    ['abc', 'abd', 'a9 b2 c9 d9', 9],
    ['abc', 'abd', 'a9 b2 c9 d1', 2],
    ['ab', 'cd', 'a9 b9 c9', 0],
  ])('of [%s] joint with [%s] and %s is %d', (incoming, outgoing, reached, expected) => {
    const configuration = joint(letters(incoming), letters(outgoing));
    expect(quorumValue(configuration, values(reached))).toBe(expected);
  });

  it('is the largest value that more than half have reached', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 9 }), (reached) => {
        const ids = reached.map((_, i) => String(i));
        const counted = Math.max(
          ...reached.filter(
            (at) => 2 * reached.filter((other) => other >= at).length > reached.length,
          ),
        );
        expect(majorityValue(ids, (id) => reached[Number(id)] ?? 0)).toBe(counted);
      }),
    );
  });
});

describe('majority_vote and joint_vote', () => {
  it.each([
    ['', '', 'won'],
    ['a', '', 'pending'],
    ['a', 'a+', 'won'],
    ['a', 'a-', 'lost'],
    ['ab', 'a+', 'pending'],
    ['ab', 'a+ b-', 'lost'],
    ['ab', 'a+ b+', 'won'],
    ['abc', 'a+', 'pending'],
    ['abc', 'a+ b-', 'pending'],
    ['abc', 'a+ b+', 'won'],
    ['abc', 'b- c-', 'lost'],
    ['abc', 'a+ x+ y+', 'pending'],
    ['abcd', 'a+ b+', 'pending'],
    ['abcd', 'a+ b+ c- d-', 'lost'],
    ['abcde', 'a+ b+ c+', 'won'],
    ['abcde', 'a- b- c-', 'lost'],
  ])('of [%s] with %s are %s', (voters, given, expected) => {
    expect(majorityVote(letters(voters), votes(given))).toBe(expected);
  });

  it.each([
    ['abc', 'cde', 'a+ b+', 'pending'],
    ['abc', 'cde', 'a+ b+ c+ d+', 'won'],
    ['abc', 'cde', 'a+ b+ d- e-', 'lost'],
    ['abc', '', 'a+ b+', 'won'],
    ['', '', '', 'won'],
    ['', 'abc', 'a+ b+', 'won'],
    ['', 'abc', 'a- b-', 'lost'],
    ['ab', 'cd', 'a+ b+ c+', 'pending'],
    ['ab', 'cd', 'a+ b+ c+ d-', 'lost'],
    ['abc', 'abd', 'a+ b+', 'won'],
    ['abc', 'abd', 'a+ c+ d-', 'pending'],
  ])('of [%s] joint with [%s] and %s are %s', (incoming, outgoing, given, expected) => {
    expect(quorumVote(joint(letters(incoming), letters(outgoing)), votes(given))).toBe(expected);
  });
});

describe('a joint configuration', () => {
  it('wins or loses as its halves do, and commits what both have', () => {
    const some = fc.uniqueArray(fc.constantFrom(...'abcdef'), { maxLength: 5 });
    const reached = fc.array(fc.nat(9), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(some, some, reached, (incoming, outgoing, values) => {
        const valueOf = (id: string): number => values['abcdef'.indexOf(id)] ?? 0;
        const halves = [incoming, outgoing].map((half) => majorityValue(half, valueOf));
        expect(quorumValue(joint(incoming, outgoing), valueOf)).toBe(Math.min(...halves));
        const given = new Map(
          values.map((value, i) => ['abcdef'.charAt(i), value % 2 === 0] as const),
        );
        const results = [incoming, outgoing].map((half) => majorityVote(half, given));
        const result = quorumVote(joint(incoming, outgoing), given);
        expect(result).toBe(results.includes('lost') ? 'lost' : 'won');
      }),
    );
  });
});
