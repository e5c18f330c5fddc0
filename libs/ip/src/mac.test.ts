import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  address,
  mac,
  macBytes,
  macFromAddress,
  macFromBytes,
  macFromIpv4,
  makeAddress,
  parseMac,
} from './index';

describe('a MAC address', () => {
  it.each([
    ['02:42:0A:00:00:05', '02:42:0a:00:00:05'],
    ['02-42-0a-00-00-05', '02:42:0a:00:00:05'],
  ])('%s is written as %s', (text, canonical) => {
    expect(mac(text)).toBe(canonical);
  });

  it.each([
    ['', 'not_a_mac'],
    ['02:42:0a:00:00', 'not_a_mac'],
    ['02:42:0a:00:00:05:06', 'not_a_mac'],
    ['2:42:a:0:0:5', 'not_a_mac'],
    ['01:00:5e:00:00:01', 'mac_multicast'],
    ['ff:ff:ff:ff:ff:ff', 'mac_multicast'],
  ])('%j is refused as %s', (text, reason) => {
    const result = parseMac(text);
    expect(result.ok ? 'taken' : result.reason).toBe(reason);
  });

  it('goes through bytes unchanged', () => {
    const one = mac('02:42:0a:00:00:05');
    expect([...macBytes(one)]).toEqual([2, 0x42, 10, 0, 0, 5]);
    expect(macFromBytes(macBytes(one))).toBe(one);
  });
});

describe('a MAC that follows from an address', () => {
  it('carries the four bytes of IPv4', () => {
    expect(macFromIpv4(address('10.0.0.5'))).toBe('02:42:0a:00:00:05');
    expect(macFromAddress(address('10.0.0.5'))).toBe('02:42:0a:00:00:05');
  });

  it('is local, unicast and another one on the next attempt', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
        fc.integer({ min: 0, max: 999 }),
        (value, attempt) => {
          const one = makeAddress(6, value);
          const first = macBytes(macFromAddress(one, attempt))[0] ?? 0;
          expect(first & 3).toBe(2);
          expect(macFromAddress(one, attempt)).not.toBe(macFromAddress(one, attempt + 1));
        },
      ),
    );
  });
});
