// A network's probe: a port of the bridge whose other end stays in the network's namespace, with a MAC and an address of this
// host's own, so that agents reach each other inside the overlay as endpoints do. What they say there is not known here.

import { address, formatAddress } from '@skein/ip';
import { hash32 } from './names';

/** Port of the bridge, and the end that has the address. */
export const probePort = 'probe0';
export const probeDevice = 'probe1';

/** Unique local addresses of probes; users' subnets may not overlap it. */
export const probePrefix = 'fd53:6b65:6970:1::/64';

export interface Probe {
  readonly mac: string;
  /** Canonical text, without prefix length. */
  readonly address: string;
}

/** The same on each network; `06` is locally administered and used for nothing else. */
export function probeOf(hostId: string): Probe {
  const high = hash32(hostId).toString(16).padStart(8, '0');
  const low = hash32(hostId, 0x9747b28c).toString(16).padStart(8, '0');
  const groups = `${high}${low}`.match(/.{4}/g) ?? [];
  const pairs = `${high}${low.slice(-2)}`.match(/../g) ?? [];
  return {
    mac: ['06', ...pairs].join(':'),
    address: formatAddress(address(`fd53:6b65:6970:1:${groups.join(':')}`)),
  };
}
