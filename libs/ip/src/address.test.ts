import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addressBytes,
  addressFromBytes,
  addressFromSortable,
  addressScope,
  address,
  addToAddress,
  compareAddresses,
  formatAddress,
  makeAddress,
  parseAddress,
  reverseName,
  sortableAddress,
  type Address,
} from './index';

const v4 = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => makeAddress(4, value));
const v6 = fc
  .oneof(
    fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
    fc
      .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
        minLength: 8,
        maxLength: 8,
      })
      .map((groups) => groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)),
  )
  .map((value) => makeAddress(6, value));
const anyAddress = fc.oneof(v4, v6);

describe('parsing an address', () => {
  it.each([
    ['', 'empty'],
    ['10.0.0', 'octet_count'],
    ['10.0.0.0.1', 'octet_count'],
    ['10..0.1', 'octet_count'],
    ['10.0.0.256', 'octet_range'],
    ['10.0.0.1000', 'octet_range'],
    ['10.0.0.01', 'leading_zero'],
    ['010.0.0.1', 'leading_zero'],
    ['0x0a.0.0.1', 'not_an_address'],
    ['10.0.0.1 ', 'not_an_address'],
    ['web', 'not_an_address'],
    ['fe80::1%eth0', 'zone_not_allowed'],
    ['::g', 'not_an_address'],
    ['1::2::3', 'group_count'],
    ['1:2:3:4:5:6:7', 'group_count'],
    ['1:2:3:4:5:6:7:8:9', 'group_count'],
    ['1:2:3:4::5:6:7:8', 'group_count'],
    ['1:2:3:4:5:6:7:', 'group_range'],
    [':1:2:3:4:5:6:7', 'group_range'],
    [':::', 'group_range'],
    ['12345::', 'group_range'],
    ['::ffff:10.0.0.01', 'leading_zero'],
    ['10.0.0.1::', 'octet_count'],
  ])('refuses %j as %s', (text, reason) => {
    const result = parseAddress(text);
    expect(result.ok ? formatAddress(result.value) : result.reason).toBe(reason);
  });

  it.each([
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['0:0:0:0:0:ffff:c000:0201', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['0001:0:0:0:0:0:0:0', '1::'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('reads %s and writes it as %s', (text, canonical) => {
    expect(formatAddress(address(text))).toBe(canonical);
  });

  it('reads back every address that it writes', () => {
    fc.assert(
      fc.property(anyAddress, (one) => {
        expect(address(formatAddress(one))).toEqual(one);
        expect(addressFromSortable(sortableAddress(one))).toEqual(one);
        expect(addressFromBytes(addressBytes(one))).toEqual(one);
      }),
    );
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6()), (text) => {
        const result = parseAddress(text);
        if (result.ok) expect(address(formatAddress(result.value))).toEqual(result.value);
      }),
    );
  });

  it('reads every IPv6 form of RFC 4291', () => {
    fc.assert(fc.property(fc.ipV6(), (text) => expect(parseAddress(text).ok).toBe(true)));
  });
});

describe('a sortable address', () => {
  it('has a fixed width', () => {
    expect(sortableAddress(address('10.0.0.5'))).toBe('4-0a000005');
    expect(sortableAddress(address('2001:db8::5'))).toBe('6-20010db8000000000000000000000005');
  });

  it('sorts as addresses do', () => {
    fc.assert(
      fc.property(anyAddress, anyAddress, (a, b) => {
        const [left, right] = [sortableAddress(a), sortableAddress(b)];
        const byText = left < right ? -1 : left > right ? 1 : 0;
        expect(Math.sign(compareAddresses(a, b))).toBe(byText);
      }),
    );
  });

  it('refuses what it did not write', () => {
    for (const text of ['4-0a00005', '6-0a000005', '4-0A000005', '5-0a000005']) {
      expect(() => addressFromSortable(text)).toThrow();
    }
  });
});

describe('arithmetic', () => {
  const text = (one: Address | null): string | null => (one === null ? null : formatAddress(one));

  it('steps over octets and stops at either end', () => {
    expect(text(addToAddress(address('10.0.0.255'), 1n))).toBe('10.0.1.0');
    expect(text(addToAddress(address('255.255.255.255'), 1n))).toBeNull();
    expect(text(addToAddress(address('::'), -1n))).toBeNull();
    expect(text(addToAddress(address('2001:db8::'), -1n))).toBe(
      '2001:db7:ffff:ffff:ffff:ffff:ffff:ffff',
    );
  });

  it('refuses numbers outside the family', () => {
    expect(() => makeAddress(4, 2n ** 32n)).toThrow();
    expect(() => makeAddress(6, -1n)).toThrow();
  });
});

describe('scope', () => {
  it.each([
    ['0.0.0.0', 'unspecified'],
    ['127.0.0.1', 'loopback'],
    ['169.254.1.1', 'linkLocal'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'multicast'],
    ['10.0.0.1', 'unicast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['fe80::1', 'linkLocal'],
    ['ff02::1', 'multicast'],
    ['fd00::1', 'unicast'],
  ])('of %s is %s', (text, scope) => {
    expect(addressScope(address(text))).toBe(scope);
  });
});

describe('reverse name', () => {
  it('follows RFC 1035 and RFC 3596', () => {
    expect(reverseName(address('10.1.2.3'))).toBe('3.2.1.10.in-addr.arpa');
    expect(reverseName(address('2001:db8::567:89ab'))).toBe(
      'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
    );
  });
});
