import { describe, expect, it } from '@jest/globals';
import { rowsOf, type Measure } from './figure';
import { ofPairs } from './ratio';
import { spreadOf } from './spread';

const head = { figure: 'f', title: 't' };
const samples = (skein: number[], peer: number[]) => ({
  skein: skein.map((rate) => ({ rate })),
  peer: peer.map((rate) => ({ rate })),
});

describe('spread', () => {
  it.each([
    [[3, 1, 2], { median: 2, least: 1, most: 3 }],
    [[4, 1, 2, 3], { median: 2.5, least: 1, most: 4 }],
    [[2, undefined, 4], { median: 3, least: 2, most: 4 }],
    [[], null],
  ])('of %j', (values, spread) => {
    expect(spreadOf(values)).toEqual(spread);
  });
});

describe('goal', () => {
  const measure = (goal: Measure['goal']): Measure => ({ name: 'rate', unit: 'ms', goal: goal! });

  it.each([
    [{ of: 'ratio', atLeast: 4 }, 40, 10, true],
    [{ of: 'ratio', atLeast: 4 }, 39, 10, false],
    [{ of: 'ratio', atMost: 0.25 }, 2, 8, true],
    [{ of: 'ratio', atMost: 0.25 }, 3, 8, false],
    [{ of: 'value', atMost: 600 }, 600, 10, true],
    [{ of: 'value', atMost: 600 }, 601, 10, false],
  ] as const)('%j of %d against %d', (goal, skein, peer, met) => {
    expect(rowsOf(head, [measure(goal)], samples([skein], [peer]))).toMatchObject([{ met }]);
  });

  it('is judged by nothing where there is nobody to compare with', () => {
    const rows = rowsOf(head, [measure({ of: 'ratio', atLeast: 4 })], samples([1], []));
    expect(rows).toMatchObject([{ met: null, ratio: null, peer: null, goal: '≥ 4×' }]);
  });

  it('judges the ratio of pairs where one is asked for', () => {
    const both = samples([10, 12, 30], [11, 10, 31]);
    const asked = measure({ of: 'ratio', atLeast: 1 });
    const [ofMedians] = rowsOf(head, [asked], both);
    expect(ofMedians).toMatchObject({ ratio: 12 / 11, ratioError: null, met: true });
    const [row] = rowsOf(head, [asked], both, ofPairs);
    expect(row?.ratio).toBeCloseTo(1.018);
    expect(row?.ratioError).toBeCloseTo(0.084);
  });
});
