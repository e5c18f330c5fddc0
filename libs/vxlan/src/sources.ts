// What may come out of each port of a network: the MAC and the addresses of the endpoint behind it, and nothing else. Knows no
// firewall; an adapter turns a source into whatever its kernel compares with.

import { formatAddress, address as parsed } from '@skein/ip';

/** What may come out of one port. */
export interface Source {
  readonly port: string;
  readonly mac: string;
  /** Canonical text, without prefix length. */
  readonly addresses: readonly string[];
}

/** Before an interface has an address: duplicate address detection and group membership (RFC 4862, RFC 3810). */
const unspecified = '::';

/** `addresses` without prefix length, in canonical text. With one of IPv6, what the kernel adds to it may be sent from as well. */
export function sourceOf(port: string, mac: string, addresses: readonly string[]): Source {
  const hasIpv6 = addresses.some((text) => text.includes(':'));
  return {
    port,
    mac,
    addresses: hasIpv6 ? [...addresses, linkLocal(mac), unspecified] : addresses,
  };
}

/** Whether the same may come out, in whatever order it is told. */
export function isSameSource(one: Source, other: Source): boolean {
  const text = ({ port, mac, addresses }: Source) => [port, mac, ...addresses.toSorted()].join(' ');
  return text(one) === text(other);
}

/** What the kernel derives from the MAC (RFC 4291, appendix A). */
function linkLocal(mac: string): string {
  const [first = '00', ...rest] = mac.split(':');
  const flipped = (Number.parseInt(first, 16) ^ 0x02).toString(16).padStart(2, '0');
  const [b = '', c = '', d = '', e = '', f = ''] = rest;
  return formatAddress(parsed(`fe80::${flipped}${b}:${c}ff:fe${d}:${e}${f}`));
}
