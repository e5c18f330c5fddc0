// Names and numbers that the kernel asks for, derived from ids so that every life of an agent, and every host where it
// matters, arrives at the same ones. Nothing here knows what they are used for.

/** 32 bits of FNV-1a over UTF-16 units, finished as MurmurHash3 does so that similar ids land far apart. */
export function hash32(text: string, seed = 0x811c9dc5): number {
  let hash = seed >>> 0;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hexDigits(value: number, count: number): string {
  return value.toString(16).padStart(8, '0').slice(-count);
}

/** Host's end of an endpoint's veth: `v` and 48 bits, within the 15 characters of an interface name. */
export function vethName(endpointId: string): string {
  return `v${digitsOf(endpointId)}`;
}

/** The other end of an engine's endpoint, for as long as the engine has not fetched it from the host's namespace. */
export function sourceName(endpointId: string): string {
  return `s${digitsOf(endpointId)}`;
}

function digitsOf(endpointId: string): string {
  return `${hexDigits(hash32(endpointId), 8)}${hexDigits(hash32(endpointId, 0x9747b28c), 4)}`;
}

export function isVethName(name: string): boolean {
  return /^v[0-9a-f]{12}$/.test(name);
}

/** One gateway MAC a network, the same on every host; `0e` is locally administered and used for nothing else. */
export function gatewayMac(networkId: string): string {
  const digits = hexDigits(hash32(networkId), 8) + hexDigits(hash32(networkId, 0x9747b28c), 2);
  return ['0e', ...(digits.match(/../g) ?? [])].join(':');
}
