// Giving endpoints their addresses and MACs, on a view. What an endpoint holds already it gets again; all of a request's
// endpoints get theirs or none does. It writes to the view's journal only: a turn makes a transaction of that.

import {
  address,
  addressFromSortable,
  compareAddresses,
  formatAddress,
  macFromAddress,
  macFromIpv4,
  parseAddress,
  parseMac,
  sortableAddress,
  type Address,
  type Family,
} from '@skein/ip';
import { type NetworkView } from './network-view';
import { accept, refuse, type AddressRecord, type Cause, type Outcome } from './records';
import { networkRole } from './subnet-plan';
import { type SubnetPool } from './subnet-pool';
import { exhaustion } from './usage';

export interface AllocationRequest {
  readonly endpointId: string;
  readonly host: string;
  readonly bootId?: string | undefined;
  /** Static addresses; each family of the network that has none here gets one of the network's choice. */
  readonly addresses?: readonly string[] | undefined;
  /** Only these families of the network get one of its choice. */
  readonly families?: readonly FamilyName[] | undefined;
  readonly mac?: string | undefined;
}

export type FamilyName = 'ipv4' | 'ipv6';
export const familyNames: Readonly<Record<Family, FamilyName>> = { 4: 'ipv4', 6: 'ipv6' };

export interface Allocation {
  readonly endpointId: string;
  /** With prefix length; IPv4 first, lowest first. */
  readonly addresses: string[];
  readonly mac: string;
}

/** Told of what an answer stands on, besides what is written: it must still be so at the commit. */
export interface Evidence {
  address(sortable: string): void;
  mac(mac: string): void;
  attached(endpointId: string, isAttached: boolean): void;
}

export interface AllocationContext {
  readonly cause: Cause;
  /** Monotonic milliseconds: which addresses have rested enough. */
  readonly monotonicMs: number;
  /** Milliseconds since the epoch, for counts that people read. */
  readonly now: number;
  /** Fencing token of the activation. */
  readonly fencing: number;
  readonly evidence: Evidence;
}

export function allocateAll(
  view: NetworkView,
  requests: readonly AllocationRequest[],
  context: AllocationContext,
): Outcome<Allocation[]> {
  const allocations: Allocation[] = [];
  const seen = new Set<string>();
  for (const [index, request] of requests.entries()) {
    const { endpointId } = request;
    if (seen.has(endpointId)) {
      const message = `endpoint ${endpointId} is named twice`;
      const field = `requests.${index}.endpointId`;
      return refuse('invalid_request', message, { field, facts: { endpointId } });
    }
    seen.add(endpointId);
    const allocation = allocateOne(view, request, { context, index });
    if (!allocation.ok) return allocation;
    allocations.push(allocation.reply);
  }
  return accept(allocations);
}

/** A request's place in the batch; its field's name is made only for a refusal. */
interface Placed {
  readonly context: AllocationContext;
  readonly index: number;
}

interface Given {
  readonly address: Address;
  readonly pool: SubnetPool;
}

function allocateOne(
  view: NetworkView,
  request: AllocationRequest,
  placed: Placed,
): Outcome<Allocation> {
  const { context, index } = placed;
  const wanted = readAddresses(request, index);
  if (!wanted.ok) return wanted;
  const held = view.heldByEndpoint(request.endpointId);
  if (held.length > 0) return confirm(view, request, { placed, held, wanted: wanted.reply });

  const given: Given[] = [];
  const take = (one: Given): void => {
    const { address } = one;
    const record = heldRecord(view, request, { address, context });
    view.write(sortableAddress(address), record, { address });
    given.push(one);
  };
  for (const [at, address] of wanted.reply.entries()) {
    const one = staticAddress(view, address, {
      evidence: context.evidence,
      field: `requests.${index}.addresses.${at}`,
    });
    if (!one.ok) return one;
    take(one.reply);
  }
  const families = dynamicFamilies(view, request, wanted.reply, index);
  if (!families.ok) return families;
  for (const family of families.reply) {
    const chosen = chooseAddress(view, family, placed);
    if (!chosen.ok) return chosen;
    take(chosen.reply);
  }
  if (given.length > 1) given.sort((one, other) => compareAddresses(one.address, other.address));
  const [primary] = given;
  if (primary === undefined) return noAddress(view, index);
  const mac = takeMac(view, request, { ...placed, primary: primary.address });
  if (!mac.ok) return mac;
  const addresses = given.map(({ address, pool }) => pool.withPrefix(address));
  return accept({ endpointId: request.endpointId, addresses, mac: mac.reply });
}

/** The network has no subnet, which only a hand in the store can have brought about. */
function noAddress(view: NetworkView, index: number): Outcome<never> {
  const message = `${view.network.name} has no subnet`;
  return refuse('pool_exhausted', message, { field: `requests.${index}` });
}

/** Those of the network, or of the request's choice, that no static address is of. */
function dynamicFamilies(
  view: NetworkView,
  { families }: AllocationRequest,
  wanted: readonly Address[],
  index: number,
): Outcome<readonly Family[]> {
  if (families === undefined && wanted.length === 0) return accept(view.families);
  const missing = families?.findIndex((name) =>
    view.families.every((family) => familyNames[family] !== name),
  );
  if (families !== undefined && missing !== undefined && missing >= 0) {
    const facts = { families: view.families.map((family) => familyNames[family]) };
    const message = `${view.network.name} has no ${families[missing]} subnet`;
    return refuse('address_outside_subnet', message, {
      field: `requests.${index}.families.${missing}`,
      facts,
    });
  }
  return accept(
    view.families.filter(
      (family) =>
        families?.includes(familyNames[family]) !== false &&
        wanted.every((address) => address.family !== family),
    ),
  );
}

const noAddresses: Address[] = [];

function readAddresses({ addresses }: AllocationRequest, request: number): Outcome<Address[]> {
  if (addresses === undefined) return accept(noAddresses);
  const read: Address[] = [];
  for (const [index, text] of addresses.entries()) {
    const result = parseAddress(text);
    if (!result.ok) {
      const field = `requests.${request}.addresses.${index}`;
      const rest = { field, facts: { reason: result.reason } };
      return refuse('invalid_request', result.message, rest);
    }
    read.push(result.value);
  }
  return accept(read);
}

/**
 * The endpoint was served before: the same answer, unless it asks for something else now. For a host that was started anew
 * meanwhile it is held for the boot that asks, lest nobody releases it with that boot.
 */
function confirm(
  view: NetworkView,
  request: AllocationRequest,
  {
    placed,
    held,
    wanted,
  }: {
    readonly placed: Placed;
    readonly held: readonly string[];
    readonly wanted: readonly Address[];
  },
): Outcome<Allocation> {
  const { endpointId } = request;
  const { context } = placed;
  const mac = macOf(view, endpointId);
  const isSame =
    wanted.every((address) => held.includes(sortableAddress(address))) &&
    (request.mac === undefined || request.mac === mac);
  const moved = isSame ? held.filter((sortable) => !isHeldFor(view, sortable, request)) : [];
  const isAttached = view.isAttached(endpointId);
  // A late request of an earlier boot must not take what is attached by now: the commit compares that nothing is.
  if (moved.length > 0) context.evidence.attached(endpointId, isAttached);
  for (const sortable of held) {
    if (isAttached || !moved.includes(sortable)) context.evidence.address(sortable);
    else {
      const address = addressFromSortable(sortable);
      view.write(sortable, heldRecord(view, request, { address, context }), { address });
    }
  }
  if (isSame) return accept(describe(view, endpointId, mac));
  const facts = { endpointId, holds: held.map(textOf), mac };
  const message = `endpoint ${endpointId} holds other addresses already`;
  return refuse('invalid_request', message, { field: `requests.${placed.index}.addresses`, facts });
}

function isHeldFor(
  view: NetworkView,
  sortable: string,
  { host, bootId }: AllocationRequest,
): boolean {
  const record = view.entry(sortable)?.record;
  return record?.host === host && (bootId === undefined || record.bootId === bootId);
}

/**
 * One dynamic address of a family: next-fit in the first subnet with a free one; then one that has rested long enough; at last
 * the one that has rested longest.
 */
function chooseAddress(
  view: NetworkView,
  family: Family,
  { context, index }: Placed,
): Outcome<Given> {
  const { now, monotonicMs } = context;
  const pool = view.pools.find((one) => one.cidr.family === family && one.hasFree);
  if (pool !== undefined) {
    return accept({ pool, address: pool.findFree((one) => view.isRecorded(one)) });
  }
  const pools = view.pools.filter((one) => one.cidr.family === family);
  let best: (Given & { restedAt: number }) | null = null;
  for (const [sortable, restedAt] of view.resting()) {
    const address = addressFromSortable(sortable);
    const own = pools.find((one) => one.isDynamic(address));
    if (own === undefined) continue;
    if (best === null || restedAt < best.restedAt) best = { address, pool: own, restedAt };
    if (best.restedAt <= monotonicMs) break;
  }
  if (best !== null) return accept(best);
  const message = `${view.network.name} has no free ${familyNames[family]} address`;
  return refuse('pool_exhausted', message, {
    field: `requests.${index}`,
    facts: exhaustion(view.network, view.records(), { now, family }),
  });
}

/** A static address, or why it can't be had. One that rests can: whoever names it knows that its holder is gone. */
function staticAddress(
  view: NetworkView,
  address: Address,
  { field, evidence }: { field: string; evidence: Evidence },
): Outcome<Given> {
  const text = formatAddress(address);
  const pool = view.poolOf(address);
  if (pool === undefined) {
    const facts = { address: text, subnets: view.network.subnets.map(({ cidr }) => cidr) };
    const message = `${text} is in no subnet of ${view.network.name}`;
    return refuse('address_outside_subnet', message, { field, facts });
  }
  const sortable = sortableAddress(address);
  const entry = view.entry(sortable);
  evidence.address(sortable);
  const reservedAs = networkRole(pool.cidr, address) ?? entry?.record.reservedAs;
  if (reservedAs !== undefined) {
    const facts = { address: text, reservedAs };
    return refuse('address_reserved', `${text} is reserved as ${reservedAs}`, { field, facts });
  }
  if (entry?.record.state !== 'held') return accept({ address, pool });
  const { endpointId: holder, host, cause } = entry.record;
  const facts = { address: text, holder, host, since: cause.at, request: cause.request };
  const message = `${text} is held by endpoint ${holder} on host ${host}`;
  return refuse('address_taken', message, { field, facts });
}

function heldRecord(
  view: NetworkView,
  { endpointId, host, bootId }: AllocationRequest,
  { address, context }: { address: Address; context: AllocationContext },
): AddressRecord {
  const { fencing, cause } = context;
  const networkId = view.network.id;
  const state = 'held';
  const kind = 'endpoint';
  const text = formatAddress(address);
  // Spelled twice: every address that anyone gets passes here, and spreading costs more than all the rest.
  return bootId === undefined
    ? { address: text, networkId, state, kind, endpointId, host, fencing, cause }
    : { address: text, networkId, state, kind, endpointId, host, bootId, fencing, cause };
}

/**
 * `02:42` and the four bytes of an IPv4 address are its holder's MAC without a record, unless an endpoint was given just that one
 * by choice: engines choose at random among them. Any other MAC has a record. Invariant: what has a record is had by nobody else.
 */
function takeMac(
  view: NetworkView,
  request: AllocationRequest,
  { context, index, primary }: Placed & { readonly primary: Address },
): Outcome<string> {
  const { evidence } = context;
  const field = `requests.${index}.mac`;
  const spelled = primary.family === 4 ? macFromIpv4(primary) : null;
  const isSpelledFree = spelled !== null && view.mac(spelled) === undefined;
  if (request.mac === undefined && isSpelledFree) return accept(spelled);
  const result = parseMac(request.mac ?? freeDerivedMac(view, primary));
  if (!result.ok) {
    return refuse('invalid_request', result.message, { field, facts: { reason: result.reason } });
  }
  const mac = result.value;
  if (mac === spelled && isSpelledFree) return accept(mac);
  const owner = spelledBy(mac);
  const holder = owner === null ? undefined : view.entry(sortableAddress(owner))?.record;
  if (owner !== null && mac !== spelled && holder?.state === 'held') {
    const keeps = holder.endpointId === undefined ? undefined : view.macKeptFor(holder.endpointId);
    if (keeps === undefined) {
      evidence.address(sortableAddress(owner));
      const message = `${mac} belongs to whoever holds ${formatAddress(owner)}`;
      const facts = { mac, address: formatAddress(owner), holder: holder.endpointId };
      return refuse('mac_taken', message, { field, facts });
    }
  }
  const taken = view.mac(mac);
  if (taken !== undefined) {
    evidence.mac(mac);
    const facts = { mac, holder: taken.record.endpointId };
    const message = `${mac} is held by endpoint ${taken.record.endpointId}`;
    return refuse('mac_taken', message, { field, facts });
  }
  view.writeMac(mac, { endpointId: request.endpointId });
  return accept(mac);
}

/** The IPv4 address whose holder has this MAC without a record; null for any other MAC. */
function spelledBy(mac: string): Address | null {
  if (!mac.startsWith('02:42:')) return null;
  const bytes = mac.split(':').slice(2);
  return address(bytes.map((byte) => Number.parseInt(byte, 16)).join('.'));
}

/** Of an endpoint that holds addresses. */
function macOf(view: NetworkView, endpointId: string): string {
  const [held] = view.heldByEndpoint(endpointId);
  return view.macKeptFor(endpointId) ?? macFromAddress(addressFromSortable(held ?? ''));
}

function freeDerivedMac(view: NetworkView, primary: Address): string {
  for (let attempt = 0; ; attempt += 1) {
    const mac = macFromAddress(primary, attempt);
    if (view.mac(mac) === undefined) return mac;
  }
}

function describe(view: NetworkView, endpointId: string, mac: string): Allocation {
  const addresses = view.heldByEndpoint(endpointId).map((sortable) => {
    const address = addressFromSortable(sortable);
    return view.poolOf(address)?.withPrefix(address) ?? formatAddress(address);
  });
  return { endpointId, addresses, mac };
}

export function textOf(sortable: string): string {
  return formatAddress(addressFromSortable(sortable));
}
