import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs } from './backoff';

describe('backoff', () => {
  it('doubles up to its limit', () => {
    expect([0, 1, 2, 3, 10, 1_000].map((attempt) => backoffMs(attempt, 1))).toEqual([
      400, 800, 1_600, 3_200, 8_000, 8_000,
    ]);
  });

  it('never waits for less than half, whatever chance says', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, chance) => {
        const ms = backoffMs(attempt, chance);
        return ms >= backoffMs(attempt, 1) / 2 && ms <= 8_000;
      }),
    );
  });
});
