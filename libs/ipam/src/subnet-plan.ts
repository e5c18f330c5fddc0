// Which subnets a network may have: given ones are checked against each other and against all that are in use; without any,
// one is cut from the default pools. Pure arithmetic over prefixes: it reads and writes nothing.

import {
  addressAt,
  broadcastAddress,
  cidr,
  cidrAround,
  cidrText,
  contains,
  containsCidr,
  familyBits,
  formatAddress,
  isUsable,
  lastAddress,
  makeAddress,
  overlaps,
  parseAddress,
  parseCidr,
  reservedNetworkAddress,
  sameAddress,
  usableCount,
  usableOffsets,
  type Address,
  type Cidr,
  type Family,
} from '@skein/ip';
import { accept, refuse, type Outcome, type SubnetRecord } from './records';

export interface SubnetSpec {
  readonly cidr: string;
  readonly range?: string | undefined;
  readonly gateway?: string | undefined;
  readonly reserved?: Readonly<Record<string, string>> | undefined;
}

/** A subnet that is in use, and the name of its network. */
export interface TakenSubnet {
  readonly cidr: Cidr;
  readonly network: string;
}

/** A prefix that is nobody's subnet and may be in none: it is excluded, or a host routes it. */
export interface Barrier {
  readonly cidr: Cidr;
  readonly code: 'subnet_excluded' | 'subnet_routed';
  /** What it is, as in '… overlaps 10.0.0.0/16, which host h1 routes'. */
  readonly which: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** All that a new subnet may not overlap. */
export interface Surroundings {
  readonly taken: readonly TakenSubnet[];
  readonly barriers: readonly Barrier[];
}

export interface SubnetPools {
  /** Default subnets are cut from these, in this order. */
  readonly pools: readonly { readonly cidr: Cidr; readonly prefixLength: number }[];
  /** The site's own networks: never handed out, and refused to whoever asks for them by name. */
  readonly excluded: readonly Cidr[];
}

export const defaultPools: SubnetPools = {
  pools: [
    { cidr: cidr('10.0.0.0/8'), prefixLength: 24 },
    // Unique local (RFC 4193); sites that join others choose a prefix of their own.
    { cidr: cidr('fd53:6b65:696e::/48'), prefixLength: 64 },
  ],
  excluded: [],
};

/** No endpoint can have an address of these (RFC 6890): this host, loopback, link-local, multicast, mapped. */
const specialPrefixes = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '::/127',
  '::ffff:0:0/96',
  'fe80::/10',
  'ff00::/8',
].map(cidr);

/** The records of the wanted subnets, or why the first bad one is refused. `field` is the path of the list or the one. */
export function planSubnets(
  specs: readonly SubnetSpec[],
  { taken, barriers }: Surroundings,
  { network, field }: { network: string; field: (index: number) => string },
): Outcome<SubnetRecord[]> {
  const inUse = [...taken];
  const records: SubnetRecord[] = [];
  for (const [index, spec] of specs.entries()) {
    const subnet = checkSubnet(spec, { taken: inUse, barriers }, field(index));
    if (!subnet.ok) return subnet;
    const record = fillSubnet(spec, subnet.reply, field(index));
    if (!record.ok) return record;
    inUse.push({ cidr: subnet.reply, network });
    records.push(record.reply);
  }
  return accept(records);
}

function checkSubnet(
  spec: SubnetSpec,
  { taken, barriers }: Surroundings,
  path: string,
): Outcome<Cidr> {
  const field = `${path}.cidr`;
  const result = parseCidr(spec.cidr);
  if (!result.ok) {
    const facts = { cidr: spec.cidr, reason: result.reason };
    return refuse('subnet_malformed', result.message, { field, facts });
  }
  const subnet = result.value;
  const special = specialPrefixes.find((one) => overlaps(one, subnet));
  if (special !== undefined) {
    const facts = { cidr: spec.cidr, overlaps: cidrText(special), reason: 'special' };
    const message = `${spec.cidr} holds addresses that no endpoint can have (${cidrText(special)})`;
    return refuse('subnet_malformed', message, { field, facts });
  }
  if (usableCount(subnet) < 2n) {
    const facts = { cidr: spec.cidr, reason: 'too_small' };
    const message = `${spec.cidr} has no room for a gateway and an endpoint`;
    return refuse('subnet_malformed', message, { field, facts });
  }
  const other = taken.find((one) => overlaps(one.cidr, subnet));
  if (other !== undefined) {
    const [own, theirs] = [cidrText(subnet), cidrText(other.cidr)];
    const facts = { cidr: own, overlaps: theirs, network: other.network };
    const message = `${own} overlaps ${theirs} of network ${other.network}`;
    return refuse('subnet_overlap', message, { field, facts });
  }
  const barrier = barriers.find((one) => overlaps(one.cidr, subnet));
  if (barrier !== undefined) {
    const [own, theirs] = [cidrText(subnet), cidrText(barrier.cidr)];
    const facts = { cidr: own, overlaps: theirs, ...barrier.facts };
    const message = `${own} overlaps ${theirs}, which ${barrier.which}`;
    return refuse(barrier.code, message, { field, facts });
  }
  return accept(subnet);
}

function fillSubnet(spec: SubnetSpec, subnet: Cidr, path: string): Outcome<SubnetRecord> {
  const range = checkRange(spec, subnet, `${path}.range`);
  if (!range.ok) return range;

  const named = new Map<string, string>();
  for (const [name, text] of Object.entries(spec.reserved ?? {})) {
    const field = `${path}.reserved.${name}`;
    const address = checkOwnAddress(text, { subnet, named, field });
    if (!address.ok) return address;
    named.set(address.reply, name);
  }
  const gateway =
    spec.gateway === undefined
      ? defaultGateway(subnet, { named, field: path })
      : checkOwnAddress(spec.gateway, { subnet, named, field: `${path}.gateway` });
  if (!gateway.ok) return gateway;

  return accept({
    cidr: cidrText(subnet),
    ...(range.reply === null ? {} : { range: cidrText(range.reply) }),
    gateway: gateway.reply,
    reserved: Object.fromEntries([...named].map(([address, name]) => [name, address])),
  });
}

function checkRange(spec: SubnetSpec, subnet: Cidr, field: string): Outcome<Cidr | null> {
  if (spec.range === undefined) return accept(null);
  const result = parseCidr(spec.range);
  if (!result.ok) {
    const facts = { cidr: spec.range, reason: result.reason };
    return refuse('subnet_malformed', result.message, { field, facts });
  }
  if (containsCidr(subnet, result.value)) return accept(result.value);
  const facts = { range: spec.range, subnet: cidrText(subnet) };
  const message = `range ${spec.range} is not inside ${cidrText(subnet)}`;
  return refuse('address_outside_subnet', message, { field, facts });
}

/** Canonical text of a gateway or reserved address: inside, one that a host may hold, and not named twice. */
function checkOwnAddress(
  text: string,
  { subnet, named, field }: { subnet: Cidr; named: ReadonlyMap<string, string>; field: string },
): Outcome<string> {
  const result = parseAddress(text);
  if (!result.ok) {
    return refuse('invalid_request', result.message, { field, facts: { reason: result.reason } });
  }
  const address = formatAddress(result.value);
  if (!contains(subnet, result.value)) {
    const facts = { address, subnets: [cidrText(subnet)] };
    const message = `${address} is not inside ${cidrText(subnet)}`;
    return refuse('address_outside_subnet', message, { field, facts });
  }
  const reservedAs = networkRole(subnet, result.value) ?? named.get(address);
  if (reservedAs === undefined) return accept(address);
  const message = `${address} is reserved as ${reservedAs}`;
  return refuse('address_reserved', message, { field, facts: { address, reservedAs } });
}

/** `network` or `broadcast` if the address is the subnet's own, else undefined. */
export function networkRole(subnet: Cidr, address: Address): 'network' | 'broadcast' | undefined {
  if (isUsable(subnet, address)) return undefined;
  const own = reservedNetworkAddress(subnet);
  if (own !== null && sameAddress(own, address)) return 'network';
  const broadcast = broadcastAddress(subnet);
  return broadcast !== null && sameAddress(broadcast, address) ? 'broadcast' : undefined;
}

/** The first address that a host may hold and that has no name yet. */
function defaultGateway(
  subnet: Cidr,
  { named, field }: { named: ReadonlyMap<string, string>; field: string },
): Outcome<string> {
  const { first, last } = usableOffsets(subnet);
  for (let offset = first; offset <= last; offset += 1n) {
    const address = formatAddress(addressAt(subnet, offset));
    if (!named.has(address)) return accept(address);
  }
  const message = `${cidrText(subnet)} has no address left for a gateway`;
  return refuse('address_reserved', message, { field });
}

/** The first subnet of the pools of this family that overlaps nothing in use, nothing excluded and no host's route. */
export function chooseSubnet(
  { pools: all, excluded }: SubnetPools,
  { taken, barriers }: Surroundings,
  family: Family,
): Outcome<Cidr> {
  const pools = all.filter((pool) => pool.cidr.family === family);
  const blocked = [...taken, ...barriers].map((one) => one.cidr).concat(excluded);
  for (const pool of pools) {
    const found = firstFree(pool, blocked);
    if (found !== null) return accept(found);
  }
  const isInPools = (one: { readonly cidr: Cidr }): boolean =>
    pools.some((pool) => overlaps(pool.cidr, one.cidr));
  const near = barriers.filter(isInPools);
  const facts = {
    pools: pools.map((pool) => ({ cidr: cidrText(pool.cidr), prefixLength: pool.prefixLength })),
    taken: taken.filter(isInPools).length,
    barriers: near
      .slice(0, barriersNamed)
      .map((one) => ({ cidr: cidrText(one.cidr), ...one.facts })),
  };
  const version = family === 4 ? 'IPv4' : 'IPv6';
  const message = `no ${version} subnet of the default pools is free: give one with --subnet, or add a pool`;
  return refuse('subnets_exhausted', message, { facts });
}

/** Barriers that a refusal names. */
const barriersNamed = 5;

function firstFree(
  { cidr: pool, prefixLength }: SubnetPools['pools'][number],
  blocked: readonly Cidr[],
): Cidr | null {
  const near = blocked
    .filter((one) => overlaps(pool, one))
    .sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
  const step = 1n << BigInt(familyBits(pool.family) - prefixLength);
  let start = pool.value;
  for (const one of near) {
    const last = lastAddress(one).value;
    if (last < start) continue;
    // The others begin even later: the gap before this one is wide enough.
    if (one.value >= start + step) break;
    start = roundUp(last + 1n, step);
  }
  if (start + step - 1n > lastAddress(pool).value) return null;
  return cidrAround(makeAddress(pool.family, start), prefixLength);
}

function roundUp(value: bigint, step: bigint): bigint {
  return ((value + step - 1n) / step) * step;
}
