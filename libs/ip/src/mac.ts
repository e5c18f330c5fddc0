// Ethernet addresses as canonical text. Those that Skein makes are locally administered and follow from the IP address, so
// that a neighbour row can be read by eye.

import { addressBytes, type Address } from './address';
import { parsed, refused, required, type Parsed } from './parsed';

declare const brand: unique symbol;
/** Lower case, six pairs with colons, unicast: `02:42:0a:00:00:05`. */
export type Mac = string & { readonly [brand]: 'mac' };

export function parseMac(text: string): Parsed<Mac> {
  if (!/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(text)) {
    return refused('not_a_mac', `'${text}' is not a MAC address, as in 02:42:0a:00:00:05`);
  }
  if ((Number.parseInt(text.slice(0, 2), 16) & 1) === 1) {
    return refused('mac_multicast', `'${text}' is a group address`);
  }
  return parsed(text.toLowerCase().replaceAll('-', ':') as Mac);
}

/** A MAC address from text that was checked before; throws on any other. */
export function mac(text: string): Mac {
  return required(parseMac(text));
}

export function macBytes(of: Mac): Uint8Array {
  return Uint8Array.from(of.split(':'), (pair) => Number.parseInt(pair, 16));
}

export function macFromBytes(bytes: Uint8Array): Mac {
  return mac([...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':'));
}

/** `02:42` and the four bytes, as Docker has it: unique wherever the address is. */
export function macFromIpv4(of: Address): Mac {
  if (of.family !== 4) throw new Error('expected an IPv4 address');
  const digits = of.value.toString(16).padStart(8, '0');
  const pair = (at: number): string => digits.slice(at, at + 2);
  return `02:42:${pair(0)}:${pair(2)}:${pair(4)}:${pair(6)}` as Mac;
}

/**
 * The MAC that follows from an address. IPv6 does not fit into one: `02:43` and a 32-bit digest of address and `attempt`; who
 * finds it taken asks again with the next attempt.
 */
export function macFromAddress(of: Address, attempt = 0): Mac {
  if (of.family === 4 && attempt === 0) return macFromIpv4(of);
  const digest = fnv1a32([...addressBytes(of), attempt & 0xff, (attempt >> 8) & 0xff]);
  return macFromBytes(
    Uint8Array.of(
      0x02,
      0x43,
      digest >>> 24,
      (digest >>> 16) & 0xff,
      (digest >>> 8) & 0xff,
      digest & 0xff,
    ),
  );
}

function fnv1a32(bytes: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
