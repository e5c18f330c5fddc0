// How full a network is and who holds what, counted from its records. For people: in answers to `usage`, and in the facts of
// a refusal.

import { address, type Family } from '@skein/ip';
import { type AddressRecord, type NetworkRecord, type SubnetRecord } from './records';
import { SubnetPool } from './subnet-pool';

export interface SubnetUsage {
  readonly cidr: string;
  /** Addresses that can be held at all; text where it passes 2^53. */
  readonly total: number | string;
  readonly used: number;
  readonly resting: number;
  readonly reserved: number;
}

/** Holders that a refusal names. */
const holdersNamed = 5;

export function countUsage(
  network: NetworkRecord,
  records: Iterable<AddressRecord>,
  now: number,
): SubnetUsage[] {
  const counts = network.subnets.map((subnet) => ({
    pool: new SubnetPool(subnet),
    used: 0,
    resting: 0,
    reserved: 0,
  }));
  for (const record of records) {
    const count = counts.find(({ pool }) => pool.contains(address(record.address)));
    if (count === undefined) continue;
    if (record.state === 'resting') count.resting += Number((record.until ?? 0) > now);
    else if (record.kind === 'endpoint') count.used += 1;
    else count.reserved += 1;
  }
  return counts.map(({ pool, ...rest }, index) => ({
    cidr: network.subnets[index]?.cidr ?? '',
    total: countable(pool.total),
    ...rest,
  }));
}

function countable(count: bigint): number | string {
  return count <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(count) : String(count);
}

/** Facts of `pool_exhausted`: how full each subnet of the family is, who the first holders are, and which hosts hold most. */
export function exhaustion(
  network: NetworkRecord,
  records: Iterable<AddressRecord>,
  { now, family }: { now: number; family: Family },
): Record<string, unknown> {
  const all = [...records].filter((one) => address(one.address).family === family);
  const usage = countUsage(network, all, now).filter(
    (_, index) => new SubnetPool(network.subnets[index] as SubnetRecord).cidr.family === family,
  );
  const sum = (key: 'used' | 'resting' | 'reserved'): number =>
    usage.reduce((total, subnet) => total + subnet[key], 0);
  const totals = usage.map(({ total }) => BigInt(total));
  const held = all.filter(({ state, kind }) => state === 'held' && kind === 'endpoint');
  return {
    total: countable(totals.reduce((a, b) => a + b, 0n)),
    used: sum('used'),
    resting: sum('resting'),
    reserved: sum('reserved'),
    subnets: usage,
    holders: held
      .slice(0, holdersNamed)
      .map(({ address: text, endpointId, host }) => ({ address: text, endpointId, host })),
    hosts: mostHolding(held),
  };
}

function mostHolding(held: readonly AddressRecord[]): { host: string; addresses: number }[] {
  const counts = new Map<string, number>();
  for (const { host = '' } of held) counts.set(host, (counts.get(host) ?? 0) + 1);
  return [...counts]
    .map(([host, addresses]) => ({ host, addresses }))
    .sort((a, b) => b.addresses - a.addresses)
    .slice(0, holdersNamed);
}
