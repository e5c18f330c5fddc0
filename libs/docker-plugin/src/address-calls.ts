// The address driver's calls. A pool is a subnet of a network; gateways and reserved addresses are the same on every host and held by
// nobody; any other address is held for an endpoint at the registry before the engine hears of it.

import { parseMac } from '@skein/ip';
import { reply, type Action } from './actions';
import { refuse, type Hold } from './book';
import type { Known } from './door';
import {
  bare,
  isInside,
  isVersion6,
  networkIdOf,
  poolIdOf,
  poolOf,
  referenceIn,
  subnetOf,
  withPrefix,
  type Pool,
  type Subnet,
} from './networks';
import type { CallOf } from './protocol';

const addressTypeOption = 'RequestAddressType';
const gatewayType = 'com.docker.network.gateway';
const macOption = 'com.docker.network.endpoint.macaddress';

/** An engine that does not like a pool of our choice asks again at once, for ever. */
const repeatedPoolMs = 2_000;

export function requestPool(body: CallOf<'IpamDriver.RequestPool'>, known: Known): Action {
  const reference = referenceIn(body.Options);
  if (reference === undefined) {
    const message = 'name the network: --ipam-opt net=NAME, and -o net=NAME';
    return refuse('invalid_request', message);
  }
  const network = known.find(reference);
  if (network === undefined) return notKnown(reference, known);
  if (body.Pool !== '') {
    const subnet = subnetOf(network, body.Pool);
    if (subnet === undefined) {
      const has = network.subnets.map(({ cidr }) => cidr).join(', ');
      return refuse('network_differs', `${network.name} has ${has}, not ${body.Pool}`);
    }
    return reply({ PoolID: poolIdOf(network, subnet), Pool: subnet.cidr, Data: {} });
  }
  const subnet = network.subnets.find((each) => isVersion6(each) === body.V6);
  if (subnet === undefined) {
    const family = body.V6 ? 'IPv6' : 'IPv4';
    return refuse('address_outside_subnet', `${network.name} has no ${family} subnet`);
  }
  const asked = `${network.id} ${body.V6}`;
  const before = known.poolsAskedAt.get(asked);
  known.poolsAskedAt.set(asked, known.nowMs);
  if (before !== undefined && known.nowMs - before < repeatedPoolMs) {
    const message = `this engine can't use ${subnet.cidr}: give --subnet ${subnet.cidr} explicitly`;
    return refuse('subnet_overlap', message);
  }
  return reply({ PoolID: poolIdOf(network, subnet), Pool: subnet.cidr, Data: {} });
}

export function requestAddress(body: CallOf<'IpamDriver.RequestAddress'>, known: Known): Action {
  const pool = poolOf(body.PoolID, known.find);
  if ('kind' in pool) return known.isFresh ? pool : { kind: 'ask' };
  const { subnet } = pool;
  const wanted = body.Address === '' ? undefined : bare(body.Address);
  if (body.Address !== '' && wanted === undefined) {
    return refuse('invalid_request', `'${body.Address}' is no address`);
  }
  if (wanted !== undefined && !isInside(subnet, wanted)) {
    return refuse('address_outside_subnet', `${wanted} is not in ${subnet.cidr}`);
  }
  if (body.Options[addressTypeOption] === gatewayType) return gateway(subnet, wanted);
  const macText = body.Options[macOption];
  if (macText === undefined) return reservedAddress(pool, wanted);
  const mac = parseMac(String(macText));
  if (!mac.ok) return refuse('invalid_request', `'${String(macText)}' is no MAC address`);
  return endpointAddress(pool, { poolId: body.PoolID, wanted, mac: mac.value }, known);
}

function gateway(subnet: Subnet, wanted: string | undefined): Action {
  const own = bare(subnet.gateway) ?? subnet.gateway;
  if (wanted !== undefined && wanted !== own) {
    return refuse('network_differs', `the gateway of ${subnet.cidr} is ${own}, not ${wanted}`);
  }
  return reply({ Address: withPrefix(subnet, own), Data: {} });
}

/** An address without a MAC is asked for a network object, not for an endpoint. */
function reservedAddress({ network, subnet }: Pool, wanted: string | undefined): Action {
  const reserved = [subnet.gateway, ...Object.values(subnet.reserved)].map(bare);
  if (wanted !== undefined && reserved.includes(wanted)) {
    return reply({ Address: withPrefix(subnet, wanted), Data: {} });
  }
  const message = `${wanted ?? 'an address'} is not reserved on ${network.name}`;
  return refuse('invalid_request', message);
}

interface Wanted {
  readonly poolId: string;
  readonly wanted: string | undefined;
  readonly mac: string;
}

function endpointAddress(
  { network, subnet }: Pool,
  { poolId, wanted, mac }: Wanted,
  known: Known,
): Action {
  const hold = known.book.byMac(network.id, mac);
  const then = { reply: 'address', poolId } as const;
  if (hold === undefined) {
    const addresses = wanted === undefined ? {} : { addresses: [wanted] };
    return attach(known, { network: network.id, mac, ...addresses, then });
  }
  if (hold.addresses.length === 0) return { kind: 'wait', id: hold.id };
  if (hold.engineId !== undefined) {
    return refuse('mac_taken', `an endpoint of ${network.name} on this host has ${mac} already`);
  }
  // The same call again, or the other family's for the same endpoint.
  const held = addressOf(hold.addresses, subnet);
  if (held !== undefined && (wanted === undefined || held.split('/')[0] === wanted)) {
    return addressReply(hold.addresses, subnet);
  }
  const kept = hold.addresses
    .map((text) => text.split('/')[0] ?? '')
    .filter((plain) => plain.includes(':') !== isVersion6(subnet));
  const addresses = wanted === undefined ? kept : [...kept, wanted];
  return attach(known, { network: network.id, mac, addresses, then, instead: hold.id });
}

type Wish = Omit<Extract<Action, { kind: 'attach' }>['order'], 'id'>;

/** The order, with a place in the book for whoever asks for the same meanwhile. */
export function attach({ book, newId: id }: Known, wish: Wish): Action {
  const empty: Hold = {
    id,
    network: wish.network,
    mac: wish.mac ?? '',
    addresses: [],
    isClaimed: false,
    isReleased: false,
    isPlugged: false,
    ...(wish.then.reply === 'endpoint' ? { engineId: wish.then.engineId } : {}),
  };
  if (wish.instead !== undefined) book.holds.delete(wish.instead);
  book.put(empty);
  return { kind: 'attach', order: { id, ...wish } };
}

/** That of the pool's own subnet, else of its family: when one is full the registry goes on in the next. */
function addressOf(addresses: readonly string[], subnet: Subnet): string | undefined {
  return (
    addresses.find((text) => isInside(subnet, text.split('/')[0] ?? '')) ??
    addresses.find((text) => text.includes(':') === isVersion6(subnet))
  );
}

export function addressReply(addresses: readonly string[], subnet: Subnet): Action {
  const found = addressOf(addresses, subnet);
  if (found !== undefined) return reply({ Address: found, Data: {} });
  return refuse('address_outside_subnet', `the endpoint has no address of ${subnet.cidr}`);
}

/** Gateways, reserved addresses and what nobody holds are released without a word. */
export function releaseAddress(
  { PoolID: poolId, Address: text }: CallOf<'IpamDriver.ReleaseAddress'>,
  { book }: Known,
): Action {
  const network = networkIdOf(poolId);
  const plain = bare(text);
  const hold =
    network === undefined || plain === undefined ? undefined : book.byAddress(network, plain);
  if (hold === undefined) return reply();
  if (hold.engineId !== undefined) {
    // Of an endpoint that is there still: another call for the same MAC was refused, or the order is wrong.
    book.put({ ...hold, isReleased: true });
    return reply();
  }
  return { kind: 'detach', id: hold.id, network: hold.network, body: {} };
}

export function notKnown(reference: string, { isFresh }: Known): Action {
  if (!isFresh) return { kind: 'ask' };
  const message = `There is no network '${reference}' that this host may attach to`;
  return refuse('network_not_found', message);
}
