import { describe, expect, it } from '@jest/globals';
import { beliefBuckets, beliefDigests, entriesOfBucket, type BeliefEntry } from './belief';

const sortable = (value: number): string => `4-${(0x0a000000 + value).toString(16)}`;
const entries = Array.from({ length: 500 }, (_, index): BeliefEntry => [
  sortable(index),
  index + 1,
]);

describe('the digests of what is believed', () => {
  it('do not depend on the order', () => {
    expect(beliefDigests([...entries].reverse())).toEqual(beliefDigests(entries));
  });

  it.each<[string, BeliefEntry[]]>([
    ['a missing entry', entries.slice(1)],
    ['another revision', [[sortable(0), 9], ...entries.slice(1)]],
    ['one entry more', [[sortable(900), 1], ...entries]],
    [
      'two entries with each other’s revisions',
      [[sortable(0), 2], [sortable(1), 1], ...entries.slice(2)],
    ],
  ])('tell %s, in the bucket of it', (_, other) => {
    const [ours, theirs] = [beliefDigests(entries), beliefDigests(other)];
    const differing = ours.flatMap((digest, bucket) => (digest === theirs[bucket] ? [] : [bucket]));
    expect(differing.length).toBeGreaterThan(0);
    expect(differing.length).toBeLessThanOrEqual(2);
    for (const bucket of differing) {
      expect(entriesOfBucket(entries, bucket)).not.toEqual(entriesOfBucket(other, bucket));
    }
  });

  it('spread addresses that follow each other', () => {
    const sizes = Array.from(
      { length: beliefBuckets },
      (_, bucket) => entriesOfBucket(entries, bucket).length,
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(500);
    expect(Math.max(...sizes)).toBeLessThan(40);
  });
});
