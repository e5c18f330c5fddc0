// Digest of a share: the sum of its items' 64-bit hashes, so that order does not matter and one item's change costs one
// item. It detects drift between registry and agent; it is no defence against an adversary.

import type { Share, SharedEndpoint, SharedHost, SharedNetwork } from './facts';

/** JSON with sorted keys and without undefined members: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null);
  const record = value as Record<string, unknown>;
  const members: string[] = [];
  for (const key of Object.keys(record).sort()) {
    if (record[key] === undefined) continue;
    members.push(`${JSON.stringify(key)}:${canonicalJson(record[key])}`);
  }
  return `{${members.join(',')}}`;
}

/** 64 bits as two unsigned lanes; sums are taken lane by lane, modulo 2^32. */
export interface Hash {
  readonly high: number;
  readonly low: number;
}

export const zeroHash: Hash = { high: 0, low: 0 };

export function addHash(a: Hash, b: Hash): Hash {
  return { high: (a.high + b.high) >>> 0, low: (a.low + b.low) >>> 0 };
}

export function subtractHash(a: Hash, b: Hash): Hash {
  return { high: (a.high - b.high) >>> 0, low: (a.low - b.low) >>> 0 };
}

export function hashToHex(hash: Hash): string {
  return hash.high.toString(16).padStart(8, '0') + hash.low.toString(16).padStart(8, '0');
}

/** Two multiplicative lanes over UTF-16 units, stirred into each other, each finished with an avalanche. */
export function hashText(text: string): Hash {
  return hashPieces([text]);
}

/** As `hashText` of all of them joined, which need not be joined for it. */
function hashPieces(pieces: readonly string[]): Hash {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  let high = 0x811c9dc5;
  let low = 0x9e3779b9 ^ length;
  for (const piece of pieces) {
    for (let index = 0; index < piece.length; index += 1) {
      const unit = piece.charCodeAt(index);
      high = Math.imul(high ^ unit, 0x01000193);
      low = Math.imul(low ^ unit, 0x5bd1e995);
      low ^= low >>> 15;
    }
  }
  return { high: avalanche(high ^ low), low: avalanche(low ^ (high >>> 7)) };
}

function avalanche(lane: number): number {
  let mixed = lane;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

export function hashHost(host: SharedHost): Hash {
  return hashText(`host${canonicalJson(host)}`);
}

export function hashNetwork(network: SharedNetwork): Hash {
  return hashText(`network${canonicalJson(network)}`);
}

export function hashEndpoint(endpoint: SharedEndpoint): Hash {
  const pieces = endpointPieces(endpoint);
  return pieces === null ? hashText(`endpoint${endpointJson(endpoint)}`) : hashPieces(pieces);
}

/** Texts that JSON writes as they are, between quotes. */
const isPlain = (text: string): boolean => /^[\w.:/-]*$/.test(text);

/** What joined is `endpointJson` behind its kind, for the many endpoints whose texts need no escapes; null for others. */
function endpointPieces(endpoint: SharedEndpoint): readonly string[] | null {
  const { addresses, aliases, host, id, mac, name, networkId } = endpoint;
  const [address = ''] = addresses;
  const more = endpoint.sandbox ?? endpoint.service ?? endpoint.engine;
  const isSimple = addresses.length === 1 && aliases.length === 0 && more === undefined;
  if (!isSimple || ![address, host, id, mac, name, networkId].every(isPlain)) return null;
  return [
    'endpoint{"addresses":["',
    address,
    '"],"aliases":[],"host":"',
    host,
    '","id":"',
    id,
    '","mac":"',
    mac,
    '","name":"',
    name,
    '","networkId":"',
    networkId,
    '"}',
  ];
}

/** The same text as `canonicalJson` at a third of the cost: a share has ten thousand of these. */
export function endpointJson(endpoint: SharedEndpoint): string {
  const { addresses, aliases, engine, host, id, mac, name, networkId, sandbox, service } = endpoint;
  const ordered = { addresses, aliases, engine, host, id, mac, name, networkId };
  if (sandbox === undefined) return JSON.stringify({ ...ordered, service });
  const { interface: device, netns } = sandbox;
  return JSON.stringify({ ...ordered, sandbox: { interface: device, netns }, service });
}

/** Hexadecimal, 16 digits; the same whatever the order of items. Costs a hash of each item: see KeptShare. */
export function digestOf(share: Share): string {
  let sum = zeroHash;
  for (const host of share.hosts) sum = addHash(sum, hashHost(host));
  for (const network of share.networks) sum = addHash(sum, hashNetwork(network));
  for (const endpoint of share.endpoints) sum = addHash(sum, hashEndpoint(endpoint));
  return hashToHex(sum);
}
