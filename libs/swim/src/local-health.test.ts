// The local health multiplier by table: what each outcome costs, and its bounds.

import { describe, expect, it } from '@jest/globals';
import { LocalHealth } from './local-health';

describe('local health', () => {
  it.each([
    { deltas: [], score: 0 },
    { deltas: [-1], score: 0 },
    { deltas: [1], score: 1 },
    { deltas: [3, -1], score: 2 },
    { deltas: [3, 3, 3], score: 7 },
    { deltas: [3, 3, 3, -1, -1], score: 5 },
  ])('stands at $score after $deltas', ({ deltas, score }) => {
    const health = new LocalHealth(8);
    for (const delta of deltas) health.apply(delta);
    expect(health.score).toBe(score);
    expect(health.multiplier).toBe(score + 1);
  });

  it('tells whether it changed, and never does with a range of one', () => {
    const health = new LocalHealth(2);
    expect([1, 1, -1, -1].map((delta) => health.apply(delta))).toEqual([true, false, true, false]);
    expect(new LocalHealth(1).apply(5)).toBe(false);
  });
});
