import { describe, expect, it } from '@jest/globals';
import type { Traffic } from '@skein/contracts';
import { ratesOf, rateText, tunnelRate } from './traffic';

const read = (at: number, frames: number, bytes: number, to = 'h2'): Traffic => ({
  revision: 1,
  silent: [],
  ways: [{ from: to === 'h2' ? 'h1' : 'h2', to, networkId: 'n1', frames, bytes, at }],
});

describe('rates', () => {
  it('follow from two readings, by the time between them', () => {
    const rates = ratesOf(read(1_000, 10, 1_000), read(3_000, 50, 9_000));
    expect(rates.get('n1 h1 h2')).toEqual({ framesPerSecond: 20, bitsPerSecond: 32_000 });
  });

  it('are not known from one reading, nor from a counter that began anew', () => {
    expect(ratesOf(undefined, read(1_000, 10, 1_000)).size).toBe(0);
    expect(ratesOf(read(1_000, 10, 1_000), read(3_000, 2, 300)).size).toBe(0);
    expect(ratesOf(read(1_000, 10, 1_000), read(1_000, 10, 1_000)).size).toBe(0);
  });

  it('of a tunnel are those of both directions, as far as they are known', () => {
    const [one, other] = [read(0, 0, 0), read(0, 0, 0, 'h1')];
    const former = { ...one, ways: [...one.ways, ...other.ways] };
    const [later, back] = [read(1_000, 3, 125), read(1_000, 5, 250, 'h1')];
    const rates = ratesOf(former, { ...later, ways: [...later.ways, ...back.ways] });
    const tunnel = { networkId: 'n1', from: 'h1', to: 'h2' };
    expect(tunnelRate(rates, tunnel)).toEqual({ framesPerSecond: 8, bitsPerSecond: 3_000 });
    expect(tunnelRate(rates, { ...tunnel, networkId: 'n2' })).toBeUndefined();
  });

  it.each([
    [12, '12 bit/s'],
    [1_500, '1.5 kbit/s'],
    [48_000_000, '48 Mbit/s'],
    [2_340_000_000, '2.3 Gbit/s'],
  ])('%d bit/s are shown as %s', (bitsPerSecond, text) => {
    expect(rateText({ bitsPerSecond, framesPerSecond: 1 })).toBe(text);
  });
});
