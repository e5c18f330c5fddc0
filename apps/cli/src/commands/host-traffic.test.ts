import { expect, it } from '@jest/globals';
import type { Traffic } from '@skein/contracts';
import { ratesBetween } from './host-traffic';

const read = (at: number, ways: [from: string, frames: number, bytes: number][]): Traffic => ({
  revision: 1,
  silent: [],
  ways: ways.map(([from, frames, bytes]) => ({
    ...{ from, to: 'h9', networkId: 'n1', frames, bytes, at },
  })),
});

it('tells rates from two looks, the largest first, and nothing of a counter that began anew', () => {
  const before = read(1_000, [
    ['h1', 10, 1_000],
    ['h2', 10, 1_000],
    ['h3', 90, 9_000],
  ]);
  const after = read(3_000, [
    ['h1', 20, 2_000],
    ['h2', 210, 101_000],
    ['h3', 5, 500],
    ['h4', 7, 700],
  ]);
  expect(ratesBetween(before, after)).toMatchObject([
    { from: 'h2', framesPerSecond: 100, bytesPerSecond: 50_000, frames: 210 },
    { from: 'h1', framesPerSecond: 5, bytesPerSecond: 500, frames: 20 },
  ]);
});
