// Text of IPv4 addresses: exactly four decimal octets. The older forms (octal, hexadecimal, fewer parts) are refused, because
// programs disagree on what they mean.

import { parsed, refused, type Parsed } from './parsed';

export function parseIpv4(text: string): Parsed<bigint> {
  if (!/^[0-9.]*$/.test(text)) {
    return refused('not_an_address', `'${text}' is not an address`);
  }
  const octets = text.split('.');
  if (octets.length !== 4) {
    return refused(
      'octet_count',
      `'${text}' has ${octets.length} of the 4 octets of an IPv4 address`,
    );
  }
  let value = 0;
  for (const octet of octets) {
    if (octet === '') return refused('octet_count', `'${text}' has an empty octet`);
    if (octet.length > 1 && octet.startsWith('0')) {
      return refused('leading_zero', `octet '${octet}' of '${text}' has a leading zero`);
    }
    if (octet.length > 3 || Number(octet) > 255) {
      return refused('octet_range', `octet '${octet}' of '${text}' is above 255`);
    }
    value = value * 256 + Number(octet);
  }
  return parsed(BigInt(value));
}

export function formatIpv4(value: bigint): string {
  const number = Number(value);
  return `${number >>> 24}.${(number >>> 16) & 0xff}.${(number >>> 8) & 0xff}.${number & 0xff}`;
}
