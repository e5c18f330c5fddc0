// The rule that keeps flapping hosts down, by table.

import { describe, expect, it } from '@jest/globals';
import { flapsAfterDown, holdBackMs } from './flap-rule';

const minute = 60_000;

describe('flap rule', () => {
  it.each([
    ['the first down', 0, 10 * minute, 1],
    ['soon again', 1, 5_000, 2],
    ['after less than a minute', 4, minute - 1, 5],
    ['a minute forgives one', 4, minute, 4],
    ['three minutes forgive three', 4, 3 * minute, 2],
    ['hours forgive all', 9, 100 * minute, 1],
    ['a clock that says nothing forgives nothing', 4, -5, 5],
  ])('counts: %s', (_name, flaps, upForMs, after) => {
    expect(flapsAfterDown(flaps, upForMs)).toBe(after);
  });

  it('costs nothing at first, then twice as long each time, up to a minute', () => {
    const times = [1, 2, 3, 4, 5, 6, 7, 8, 9, 30].map((flaps) => holdBackMs(flaps));
    expect(times).toEqual([0, 0, 0, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });
});
