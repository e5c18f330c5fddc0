// Compares of spans stand for exactly the keys that were named.

import { describe, expect, it } from '@jest/globals';
import { sortableAddress, address } from '@skein/ip';
import { allAbsent } from './absence';

const key = (text: string): string => `/a/n/${sortableAddress(address(text))}`;
const spans = (...texts: string[]): string[] =>
  allAbsent(texts.map(key)).map(({ key: from, rangeEnd, target, operator, value }) => {
    expect([target, operator, value]).toEqual(['modRevision', '=', 0]);
    return rangeEnd === undefined ? from : `${from} to ${rangeEnd}`;
  });

describe('all absent', () => {
  it('says it once of addresses that follow each other, in whatever order they come', () => {
    expect(spans('10.1.0.4', '10.1.0.2', '10.1.0.3')).toEqual([
      `${key('10.1.0.2')} to ${key('10.1.0.4')}\0`,
    ]);
    expect(spans('10.1.0.255', '10.1.1.0')).toEqual([
      `${key('10.1.0.255')} to ${key('10.1.1.0')}\0`,
    ]);
    expect(spans('fd00::9', 'fd00::a', 'fd00::ff', 'fd00::100')).toEqual([
      `${key('fd00::9')} to ${key('fd00::a')}\0`,
      `${key('fd00::ff')} to ${key('fd00::100')}\0`,
    ]);
  });

  it('never speaks of an address that was not named', () => {
    expect(spans('10.1.0.2', '10.1.0.4')).toEqual([key('10.1.0.2'), key('10.1.0.4')]);
    expect(spans('10.1.0.15', '10.1.0.32')).toEqual([key('10.1.0.15'), key('10.1.0.32')]);
    expect(spans('255.255.255.255', '::')).toEqual([key('255.255.255.255'), key('::')]);
    expect(spans()).toEqual([]);
  });
});
