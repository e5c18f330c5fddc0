import { describe, expect, it } from '@jest/globals';
import { nameserversOf } from './nameservers';

describe('nameservers of a host', () => {
  const read = (lines: string[], own: string[] = []) =>
    nameserversOf(lines.join('\n'), new Set(own));

  it('are those of the lines that name one, in order and once', () => {
    expect(
      read([
        '# nameserver 192.0.2.9',
        'search corp.example',
        'nameserver 192.0.2.1',
        '  nameserver\t2001:DB8::1 # second',
        'nameserver 192.0.2.1',
        'nameserver',
        'nameserver nowhere',
        'nameserver fe80::1%eth0',
      ]),
    ).toEqual(['192.0.2.1', '2001:db8::1']);
  });

  it('are never this host’s own resolvers', () => {
    expect(read(['nameserver 169.254.83.107', 'nameserver 192.0.2.1'], ['169.254.83.107'])).toEqual(
      ['192.0.2.1'],
    );
  });

  it('are three at most', () => {
    expect(read([1, 2, 3, 4].map((last) => `nameserver 192.0.2.${last}`))).toHaveLength(3);
  });
});
