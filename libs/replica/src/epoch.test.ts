import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { epochChances, nextEpoch } from './epoch';

const chances = fc.nat({ max: epochChances - 1 });

describe('the next epoch', () => {
  it('is above what is known, whatever chance says, and fits into 32 bits', () => {
    fc.assert(
      fc.property(fc.nat({ max: 4_000 * epochChances }), chances, (highest, chance) => {
        const next = nextEpoch(highest, chance);
        expect(next).toBeGreaterThan(highest);
        expect(next >>> 0).toBe(next);
      }),
    );
  });

  it('differs between two that recover from the same epoch unless chance is the same', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 30 }), chances, chances, (highest, one, other) => {
        expect(nextEpoch(highest, one) === nextEpoch(highest, other)).toBe(one === other);
      }),
    );
  });

  it('is refused where the count is used up', () => {
    expect(() => nextEpoch(2 ** 32 - 1, 0)).toThrow(RangeError);
  });
});
