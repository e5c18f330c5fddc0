// What some containers ask for beside a network: an address or a MAC of their own choice, one family alone. It must not know how
// wishes are granted.

import { addressAt, cidr, formatAddress, usableCount } from '@skein/ip';
import type { Random } from '../random';
import { networks } from './networks';

export interface Wish {
  readonly addresses?: string[];
  readonly families?: ('ipv4' | 'ipv6')[];
  readonly mac?: string;
}

/** From the start of a subnet: few, so that the same are wanted again and again. */
const wantedAddresses = 12;
const wantedMacs = 6;
const families = ['ipv4', 'ipv6'] as const;

/** Empty for most. */
export function drawWish(random: Random, networkId: string): Wish {
  const cidrs = networks.find(({ id }) => id === networkId)?.cidrs ?? [];
  const isDual = cidrs.some((text) => text.includes(':'));
  const kind = random.pick(['family', 'address', 'mac', 'none', 'none', 'none', 'none'] as const);
  if (kind === 'family' && isDual) return { families: [random.pick(families)] };
  if (kind === 'address') {
    const subnet = cidr(random.pick(cidrs));
    const last =
      usableCount(subnet) > wantedAddresses ? wantedAddresses : Number(usableCount(subnet));
    const address = formatAddress(addressAt(subnet, BigInt(random.between(2, last))));
    return { addresses: [address] };
  }
  if (kind === 'mac') {
    return { mac: `02:00:00:00:00:0${random.between(1, wantedMacs)}` };
  }
  return {};
}
