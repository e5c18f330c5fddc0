// Prefixes: a network address and a length. Here are the rules of which addresses of a subnet a host may hold (broadcast,
// subnet-router anycast, point-to-point links), and the arithmetic of cutting, containing and overlapping.

import { familyBits, formatAddress, parseAddress, type Address, type Family } from './address';
import { parsed, refused, required, type Parsed } from './parsed';

export interface Cidr {
  readonly family: Family;
  /** The network address as a number; its host bits are zero. */
  readonly value: bigint;
  readonly prefixLength: number;
}

/** An address with the length of the prefix that it lives in: `10.1.0.5/24`. */
export interface PrefixedAddress {
  readonly address: Address;
  readonly prefixLength: number;
}

export function parsePrefixedAddress(text: string): Parsed<PrefixedAddress> {
  const slash = text.indexOf('/');
  if (slash < 0) return refused('prefix_missing', `'${text}' has no prefix length, as in '/24'`);
  const address = parseAddress(text.slice(0, slash));
  if (!address.ok) return address;
  const length = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length)) {
    return refused('prefix_malformed', `'${length}' is not a prefix length`);
  }
  const bits = familyBits(address.value.family);
  if (Number(length) > bits) {
    return refused('prefix_too_long', `prefix length ${length} is above ${bits}`);
  }
  return parsed({ address: address.value, prefixLength: Number(length) });
}

/** A prefix whose host bits are all zero; `10.0.0.5/24` is refused, with `10.0.0.0/24` in the message. */
export function parseCidr(text: string): Parsed<Cidr> {
  const result = parsePrefixedAddress(text);
  if (!result.ok) return result;
  const cidr = cidrAround(result.value.address, result.value.prefixLength);
  if (cidr.value !== result.value.address.value) {
    return refused('host_bits_set', `'${text}' has host bits set: did you mean ${cidrText(cidr)}?`);
  }
  return parsed(cidr);
}

/** A prefix from text that was checked before; throws on any other. */
export function cidr(text: string): Cidr {
  return required(parseCidr(text));
}

/** `10.1.0.5/24`: an address, not necessarily the network's, with its prefix length. */
export function formatCidr(address: Address, prefixLength: number): string {
  return `${formatAddress(address)}/${prefixLength}`;
}

/** Canonical text of a prefix. */
export function cidrText(of: Cidr): string {
  return formatCidr(networkAddress(of), of.prefixLength);
}

/** The prefix of this length that holds the address. */
export function cidrAround({ family, value }: Address, prefixLength: number): Cidr {
  const hostBits = BigInt(familyBits(family) - prefixLength);
  return { family, value: (value >> hostBits) << hostBits, prefixLength };
}

export function cidrSize({ family, prefixLength }: Cidr): bigint {
  return 1n << BigInt(familyBits(family) - prefixLength);
}

export function networkAddress({ family, value }: Cidr): Address {
  return { family, value };
}

export function lastAddress(of: Cidr): Address {
  return { family: of.family, value: of.value + cidrSize(of) - 1n };
}

/** The address `offset` places after the network address; throws outside the prefix. */
export function addressAt(of: Cidr, offset: bigint): Address {
  if (offset < 0n || offset >= cidrSize(of))
    throw new Error(`${offset} is outside ${cidrText(of)}`);
  return { family: of.family, value: of.value + offset };
}

export function offsetOf(of: Cidr, { value }: Address): bigint {
  return value - of.value;
}

export function contains(of: Cidr, { family, value }: Address): boolean {
  return family === of.family && value >= of.value && value < of.value + cidrSize(of);
}

export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  return outer.prefixLength <= inner.prefixLength && contains(outer, networkAddress(inner));
}

/** Two prefixes overlap exactly if one contains the other. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return containsCidr(a, b) || containsCidr(b, a);
}

/** The directed broadcast address: IPv4 alone has one, and not on /31 (RFC 3021) or /32. */
export function broadcastAddress(of: Cidr): Address | null {
  return of.family === 4 && of.prefixLength <= 30 ? lastAddress(of) : null;
}

/**
 * The network's own address, where no host may hold it: IPv4 up to /30, and IPv6 up to /126 as the subnet-router anycast
 * address (RFC 4291 §2.6.1); /127 has none (RFC 6164).
 */
export function reservedNetworkAddress(of: Cidr): Address | null {
  return familyBits(of.family) - of.prefixLength >= 2 ? networkAddress(of) : null;
}

/** First and last address that a host may hold, as offsets into the prefix. */
export function usableOffsets(of: Cidr): { first: bigint; last: bigint } {
  return {
    first: reservedNetworkAddress(of) === null ? 0n : 1n,
    last: cidrSize(of) - (broadcastAddress(of) === null ? 1n : 2n),
  };
}

export function isUsable(of: Cidr, address: Address): boolean {
  if (!contains(of, address)) return false;
  const { first, last } = usableOffsets(of);
  const offset = offsetOf(of, address);
  return offset >= first && offset <= last;
}

export function usableCount(of: Cidr): bigint {
  const { first, last } = usableOffsets(of);
  return last - first + 1n;
}

/** How many prefixes of a longer (or the same) length fit; 0 if it is shorter. */
export function subnetCount(of: Cidr, prefixLength: number): bigint {
  const extra = prefixLength - of.prefixLength;
  return extra < 0 || prefixLength > familyBits(of.family) ? 0n : 1n << BigInt(extra);
}

/** The n-th prefix of this length inside; throws outside. */
export function subnetAt(
  of: Cidr,
  { prefixLength, index }: { prefixLength: number; index: bigint },
): Cidr {
  if (index < 0n || index >= subnetCount(of, prefixLength)) {
    throw new Error(`${cidrText(of)} has no /${prefixLength} number ${index}`);
  }
  const step = BigInt(familyBits(of.family) - prefixLength);
  return { family: of.family, value: of.value + (index << step), prefixLength };
}
