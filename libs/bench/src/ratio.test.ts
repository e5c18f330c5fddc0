import { describe, expect, it } from '@jest/globals';
import { ofMedians, ofPairs } from './ratio';

describe('ratio of medians', () => {
  it.each([
    [[1, 9, 4], [2, 2, 8], { ratio: 2, error: null }],
    [[6, undefined], [2, 4], { ratio: 2, error: null }],
    [[1], [0], null],
    [[], [1], null],
  ])('of %j to %j', (skein, peer, ratio) => {
    expect(ofMedians(skein, peer)).toEqual(ratio);
  });
});

describe('ratio of pairs', () => {
  it('is the geometric mean of those of each round', () => {
    expect(ofPairs([8, 2, 3], [2, 4, 3])?.ratio).toBeCloseTo(2 ** (1 / 3));
    expect(ofPairs([2, 4, 3], [8, 2, 3])?.ratio).toBeCloseTo(2 ** (-1 / 3));
  });

  it('has no error where whatever slows both slows them alike', () => {
    const { ratio, error } = ofPairs([11, 22, 5.5], [10, 20, 5]) ?? {};
    expect(ratio).toBeCloseTo(1.1);
    expect(error).toBeCloseTo(0);
  });

  it('has the standard error of the mean of its logarithms, as a part of itself', () => {
    // Logarithms 0.1 and 0.3: their mean is 0.2, their deviation √0.02, its error √0.02 / √2.
    const { ratio, error } = ofPairs([Math.exp(0.1), Math.exp(0.3)], [1, 1]) ?? {};
    expect(ratio).toBeCloseTo(Math.exp(0.2));
    expect(error).toBeCloseTo(0.1 * Math.exp(0.2));
  });

  it('gets smaller in error with more rounds', () => {
    const rounds = (count: number) => Array.from({ length: count }, (_, at) => 1 + (at % 2) / 10);
    const errorOf = (count: number) => ofPairs(rounds(count), rounds(count).fill(1))?.error ?? 0;
    expect(errorOf(40) / errorOf(10)).toBeCloseTo(0.5, 1);
  });

  it.each([
    ['one round has no error', [3], [2], { ratio: 1.5, error: null }],
    [
      'a round that lacks one is no pair',
      [3, 8, undefined],
      [2, undefined, 5],
      { ratio: 1.5, error: null },
    ],
    ['a zero is comparable with nothing', [3, 0], [2, 2], null],
    ['nor is one of the peer', [3, 1], [2, 0], null],
    ['nothing is nothing', [], [], null],
  ])('%s', (_, skein, peer, ratio) => {
    expect(ofPairs(skein, peer)).toEqual(ratio);
  });
});
