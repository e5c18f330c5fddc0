// Networks as the door knows them, the engine's pools, and how an engine's network object is held against the network that it
// stands for.

import {
  address,
  cidr,
  cidrText,
  contains,
  formatAddress,
  parseAddress,
  parseCidr,
} from '@skein/ip';
import { refuse, type Refusal } from './book';
import { addressSpace } from './fixed-replies';
import type { CallOf, PoolData } from './protocol';

export interface KnownNetwork {
  readonly id: string;
  readonly name: string;
  readonly subnets: readonly {
    readonly cidr: string;
    readonly gateway: string;
    readonly reserved: Readonly<Record<string, string>>;
  }[];
  readonly internal: boolean;
}

export type Subnet = KnownNetwork['subnets'][number];

/** By name or id. */
export type FindNetwork = (reference: string) => KnownNetwork | undefined;

/** Options that name the network: the address driver's and `-o net=`, and what people write themselves. */
export const networkOptions = ['net', 'skein.network'] as const;

export function referenceIn(options: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of networkOptions) {
    const value = options[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** The `-o` pairs of a network object. */
export function genericOptions(options: CallOf<'NetworkDriver.CreateNetwork'>['Options']) {
  const generic = options['com.docker.network.generic'];
  return typeof generic === 'object' && generic !== null
    ? (generic as Readonly<Record<string, unknown>>)
    : {};
}

/** A pool's id says all that later calls need: the engine tells them nothing else. */
export function poolIdOf(network: KnownNetwork, subnet: Subnet): string {
  return `${network.id}/${subnet.cidr}`;
}

export interface Pool {
  readonly network: KnownNetwork;
  readonly subnet: Subnet;
}

/** The network of a pool id that this door gave out; undefined for another text. */
export function networkIdOf(poolId: string): string | undefined {
  const at = poolId.indexOf('/');
  return at < 1 ? undefined : poolId.slice(0, at);
}

export function poolOf(poolId: string, find: FindNetwork): Pool | Refusal {
  const id = networkIdOf(poolId);
  const network = id === undefined ? undefined : find(id);
  const subnet = network?.subnets.find((each) => poolId === `${id}/${each.cidr}`);
  if (network !== undefined && subnet !== undefined) return { network, subnet };
  return refuse('network_not_found', `There is no pool '${poolId}' that this host may use`);
}

export function subnetOf(network: KnownNetwork, poolText: string): Subnet | undefined {
  const parsed = parseCidr(poolText);
  if (!parsed.ok) return undefined;
  const wanted = cidrText(parsed.value);
  return network.subnets.find((each) => cidrText(cidr(each.cidr)) === wanted);
}

export function isVersion6({ cidr: text }: Subnet): boolean {
  return text.includes(':');
}

/** Canonical, without prefix length; undefined for what is no address. */
export function bare(text: string): string | undefined {
  const parsed = parseAddress(text.split('/')[0] ?? '');
  return parsed.ok ? formatAddress(parsed.value) : undefined;
}

export function isInside({ cidr: text }: Subnet, plain: string): boolean {
  const parsed = parseAddress(plain);
  return parsed.ok && contains(cidr(text), parsed.value);
}

export function withPrefix({ cidr: text }: Subnet, plain: string): string {
  return `${plain}/${cidr(text).prefixLength}`;
}

/** Null if the engine's object describes the network; else what is wrong with it. */
export function differenceOf(
  network: KnownNetwork,
  data: readonly PoolData[],
): { readonly message: string } | null {
  for (const { Pool: pool, Gateway: gateway } of data) {
    const subnet = subnetOf(network, pool);
    const has = network.subnets.map((each) => each.cidr).join(', ');
    if (subnet === undefined) return { message: `${network.name} has ${has}, not ${pool}` };
    const given = bare(gateway);
    if (given !== undefined && given !== formatAddress(address(subnet.gateway))) {
      return { message: `${network.name} has gateway ${subnet.gateway}, not ${given}` };
    }
  }
  return null;
}

/** Whether this door gave out the addresses of the object. */
export function isOwnPool({ AddressSpace }: PoolData): boolean {
  return AddressSpace === addressSpace;
}
