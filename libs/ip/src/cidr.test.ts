import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  address,
  addressAt,
  broadcastAddress,
  cidr,
  cidrAround,
  cidrSize,
  cidrText,
  contains,
  containsCidr,
  formatAddress,
  formatCidr,
  isUsable,
  lastAddress,
  makeAddress,
  offsetOf,
  overlaps,
  parseCidr,
  parsePrefixedAddress,
  reservedNetworkAddress,
  subnetAt,
  subnetCount,
  usableCount,
  usableOffsets,
} from './index';

const small = fc
  .record({
    value: fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }),
    prefixLength: fc.integer({ min: 24, max: 32 }),
  })
  .map(({ value, prefixLength }) => cidrAround(makeAddress(4, value), prefixLength));

describe('parsing a prefix', () => {
  it.each([
    ['10.0.0.0', 'prefix_missing'],
    ['10.0.0.0/', 'prefix_malformed'],
    ['10.0.0.0/024', 'prefix_malformed'],
    ['10.0.0.0/-1', 'prefix_malformed'],
    ['10.0.0.0/24/24', 'prefix_malformed'],
    ['10.0.0.0/33', 'prefix_too_long'],
    ['2001:db8::/129', 'prefix_too_long'],
    ['10.0.0.5/24', 'host_bits_set'],
    ['2001:db8::1/64', 'host_bits_set'],
    ['10.0.0.00/24', 'leading_zero'],
  ])('refuses %s as %s', (text, reason) => {
    const result = parseCidr(text);
    expect(result.ok ? 'taken' : result.reason).toBe(reason);
  });

  it('names the prefix that was probably meant', () => {
    const result = parseCidr('10.0.0.5/24');
    expect(result.ok ? '' : result.message).toContain('10.0.0.0/24');
  });

  it('reads an address with its prefix length and writes it back', () => {
    const result = parsePrefixedAddress('10.1.0.5/24');
    if (!result.ok) throw new Error(result.message);
    expect(formatCidr(result.value.address, result.value.prefixLength)).toBe('10.1.0.5/24');
    expect(cidrText(cidr('2001:DB8:0::/48'))).toBe('2001:db8::/48');
  });
});

describe('which addresses a host may hold', () => {
  it.each([
    ['10.0.0.0/24', '10.0.0.1', '10.0.0.254', 254n, '10.0.0.0', '10.0.0.255'],
    ['10.0.0.0/30', '10.0.0.1', '10.0.0.2', 2n, '10.0.0.0', '10.0.0.3'],
    ['10.0.0.0/31', '10.0.0.0', '10.0.0.1', 2n, null, null],
    ['10.0.0.7/32', '10.0.0.7', '10.0.0.7', 1n, null, null],
    ['10.0.0.0/8', '10.0.0.1', '10.255.255.254', 16_777_214n, '10.0.0.0', '10.255.255.255'],
    ['fd00::/126', 'fd00::1', 'fd00::3', 3n, 'fd00::', null],
    ['fd00::/127', 'fd00::', 'fd00::1', 2n, null, null],
    ['fd00::7/128', 'fd00::7', 'fd00::7', 1n, null, null],
    ['fd00::/64', 'fd00::1', 'fd00::ffff:ffff:ffff:ffff', 2n ** 64n - 1n, 'fd00::', null],
  ])('%s: from %s to %s', (text, first, last, count, network, broadcast) => {
    const subnet = cidr(text);
    const usable = usableOffsets(subnet);
    expect(formatAddress(addressAt(subnet, usable.first))).toBe(first);
    expect(formatAddress(addressAt(subnet, usable.last))).toBe(last);
    expect(usableCount(subnet)).toBe(count);
    const written = [reservedNetworkAddress(subnet), broadcastAddress(subnet)].map((one) =>
      one === null ? null : formatAddress(one),
    );
    expect(written).toEqual([network, broadcast]);
  });

  it('agrees with itself address by address', () => {
    fc.assert(
      fc.property(small, (subnet) => {
        let usable = 0n;
        for (let offset = 0n; offset < cidrSize(subnet); offset += 1n) {
          if (isUsable(subnet, addressAt(subnet, offset))) usable += 1n;
        }
        expect(usable).toBe(usableCount(subnet));
      }),
    );
  });

  it('never takes one of another family', () => {
    expect(contains(cidr('0.0.0.0/0'), address('::1'))).toBe(false);
    expect(isUsable(cidr('::/0'), address('10.0.0.1'))).toBe(false);
  });
});

describe('containing and overlapping', () => {
  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/24', '10.0.1.0/24', false],
    ['10.0.0.0/24', '10.0.0.0/24', true],
    ['0.0.0.0/0', '::/0', false],
    ['fd00::/64', 'fd00:0:0:0:8000::/65', true],
  ])('%s and %s overlap: %s', (a, b, expected) => {
    expect(overlaps(cidr(a), cidr(b))).toBe(expected);
  });

  it('is the same as sharing an address', () => {
    const close = small.map(({ value, prefixLength }) =>
      cidrAround(makeAddress(4, 0x0a000000n | (value & 0x1ffn)), prefixLength),
    );
    fc.assert(
      fc.property(close, close, (a, b) => {
        let shared = false;
        for (let offset = 0n; offset < cidrSize(a); offset += 1n) {
          shared ||= contains(b, addressAt(a, offset));
        }
        expect(overlaps(a, b)).toBe(shared);
        expect(containsCidr(a, b)).toBe(
          contains(a, addressAt(b, 0n)) && contains(a, lastAddress(b)),
        );
      }),
    );
  });
});

describe('cutting', () => {
  it('cuts a pool into subnets that touch and do not overlap', () => {
    const pool = cidr('10.0.0.0/8');
    expect(subnetCount(pool, 24)).toBe(65_536n);
    expect(cidrText(subnetAt(pool, { prefixLength: 24, index: 0n }))).toBe('10.0.0.0/24');
    expect(cidrText(subnetAt(pool, { prefixLength: 24, index: 257n }))).toBe('10.1.1.0/24');
    expect(() => subnetAt(pool, { prefixLength: 24, index: 65_536n })).toThrow();
    expect(subnetCount(pool, 7)).toBe(0n);
    expect(cidrText(subnetAt(cidr('fd00::/8'), { prefixLength: 64, index: 2n ** 48n }))).toBe(
      'fd01::/64',
    );
  });

  it('counts offsets from the network address', () => {
    const subnet = cidr('10.0.0.0/24');
    expect(offsetOf(subnet, address('10.0.0.9'))).toBe(9n);
    expect(() => addressAt(subnet, 256n)).toThrow();
  });
});
