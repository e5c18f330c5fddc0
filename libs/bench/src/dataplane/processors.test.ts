import { expect, it } from '@jest/globals';
import { firstTwo } from './processors';

it.each([
  ['0-1', [0, 1]],
  ['0-63', [0, 1]],
  ['2,5-7', [2, 5]],
  ['3-4,9', [3, 4]],
  ['0', null],
  ['7', null],
])('of processors %s, the two ends get %j', (list, two) => {
  expect(firstTwo(list)).toEqual(two);
});
