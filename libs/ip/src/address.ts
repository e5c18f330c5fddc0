// An IPv4 or IPv6 address as a family and a number. Text goes in strictly (no leading zeros, no zone, nothing left over)
// and comes out in one canonical form. It knows nothing of prefixes: cidr.ts does.

import { formatIpv4, parseIpv4 } from './ipv4';
import { formatIpv6, parseIpv6 } from './ipv6';
import { parsed, refused, required, type Parsed } from './parsed';

export type Family = 4 | 6;

export interface Address {
  readonly family: Family;
  /** 0 … 2^32-1 or 2^128-1. */
  readonly value: bigint;
}

export function familyBits(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

export function makeAddress(family: Family, value: bigint): Address {
  if (value < 0n || value >> BigInt(familyBits(family)) !== 0n) {
    throw new Error(`${value} is no IPv${family} address`);
  }
  return { family, value };
}

export function parseAddress(text: string): Parsed<Address> {
  if (text === '') return refused('empty', 'an address is missing');
  const result = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  if (!result.ok) return result;
  return parsed({ family: text.includes(':') ? 6 : 4, value: result.value });
}

/** An address from text that was checked before; throws on any other. */
export function address(text: string): Address {
  return required(parseAddress(text));
}

/** Dotted decimal, or RFC 5952. */
export function formatAddress({ family, value }: Address): string {
  return family === 4 ? formatIpv4(value) : formatIpv6(value);
}

/** Order of families, then of numbers; negative, zero or positive. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.family !== b.family) return a.family - b.family;
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.family === b.family && a.value === b.value;
}

/** The address `steps` further on, or null past either end of the family's space. */
export function addToAddress({ family, value }: Address, steps: bigint): Address | null {
  const sum = value + steps;
  return sum < 0n || sum >> BigInt(familyBits(family)) !== 0n ? null : { family, value: sum };
}

/** Text that sorts as addresses do, of fixed width a family: `4-0a000005`, `6-20010db8…`. */
export function sortableAddress({ family, value }: Address): string {
  return `${family}-${value.toString(16).padStart(familyBits(family) / 4, '0')}`;
}

/** What `sortableAddress` made; throws on any other text. */
export function addressFromSortable(text: string): Address {
  if (!/^(4-[0-9a-f]{8}|6-[0-9a-f]{32})$/.test(text)) {
    throw new Error(`'${text}' is no sortable address`);
  }
  return { family: text.startsWith('4') ? 4 : 6, value: BigInt(`0x${text.slice(2)}`) };
}

/** Network order: 4 or 16 bytes. */
export function addressBytes({ family, value }: Address): Uint8Array {
  const bytes = new Uint8Array(familyBits(family) / 8);
  let rest = value;
  for (let index = bytes.length - 1; index >= 0; index -= 1) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** From 4 or 16 bytes in network order; throws on any other count. */
export function addressFromBytes(bytes: Uint8Array): Address {
  if (bytes.length !== 4 && bytes.length !== 16) throw new Error(`${bytes.length} bytes`);
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return { family: bytes.length === 4 ? 4 : 6, value };
}

/** Whom an address is for: only `unicast` ones can belong to one endpoint of an overlay. */
export type AddressScope = 'unspecified' | 'loopback' | 'linkLocal' | 'multicast' | 'unicast';

export function addressScope({ family, value }: Address): AddressScope {
  if (family === 4) {
    const first = Number(value >> 24n);
    if (first === 0) return 'unspecified';
    if (first === 127) return 'loopback';
    if (value >> 16n === 0xa9fen) return 'linkLocal';
    return first >= 224 ? 'multicast' : 'unicast';
  }
  if (value === 0n) return 'unspecified';
  if (value === 1n) return 'loopback';
  if (value >> 118n === 0xfe80n >> 6n) return 'linkLocal';
  return value >> 120n === 0xffn ? 'multicast' : 'unicast';
}

/** Name under which DNS keeps the PTR record, without a final dot (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(of: Address): string {
  if (of.family === 4) return `${[...addressBytes(of)].reverse().join('.')}.in-addr.arpa`;
  const digits = of.value.toString(16).padStart(32, '0');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}
