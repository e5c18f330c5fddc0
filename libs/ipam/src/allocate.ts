// Giving endpoints their addresses and MACs, on a view. What an endpoint holds already it gets again; all of a request's
// endpoints get theirs or none does. It writes to the view's journal only: a turn makes a transaction of that.

import {
  addressFromSortable,
  compareAddresses,
  formatAddress,
  macFromAddress,
  macFromIpv4,
  parseAddress,
  parseMac,
  sortableAddress,
  type Address,
} from '@skein/ip';
import { type NetworkView } from './network-view';
import { accept, refuse, type AddressRecord, type Cause, type Outcome } from './records';
import { networkRole } from './subnet-plan';
import { exhaustion } from './usage';

export interface AllocationRequest {
  readonly endpointId: string;
  readonly host: string;
  readonly bootId?: string | undefined;
  /** Static addresses; none: one of the network's choice. */
  readonly addresses?: readonly string[] | undefined;
  readonly mac?: string | undefined;
}

export interface Allocation {
  readonly endpointId: string;
  /** With prefix length; IPv4 first, lowest first. */
  readonly addresses: string[];
  readonly mac: string;
}

export interface AllocationContext {
  readonly cause: Cause;
  /** Milliseconds since the epoch: which addresses have rested enough. */
  readonly now: number;
  /** Fencing token of the activation. */
  readonly fencing: number;
  /** Told of each address that is confirmed and not written: it must still be so at the commit. */
  readonly onConfirmed: (sortable: string) => void;
}

export function allocateAll(
  view: NetworkView,
  requests: readonly AllocationRequest[],
  context: AllocationContext,
): Outcome<Allocation[]> {
  const allocations: Allocation[] = [];
  const seen = new Set<string>();
  for (const [index, request] of requests.entries()) {
    const field = `requests.${index}`;
    const { endpointId } = request;
    if (seen.has(endpointId)) {
      const message = `endpoint ${endpointId} is named twice`;
      const facts = { endpointId };
      return refuse('invalid_request', message, { field: `${field}.endpointId`, facts });
    }
    seen.add(endpointId);
    const allocation = allocateOne(view, request, { ...context, field });
    if (!allocation.ok) return allocation;
    allocations.push(allocation.reply);
  }
  return accept(allocations);
}

type FieldContext = AllocationContext & { readonly field: string };

function allocateOne(
  view: NetworkView,
  request: AllocationRequest,
  context: FieldContext,
): Outcome<Allocation> {
  const wanted = readAddresses(request, context.field);
  if (!wanted.ok) return wanted;
  const held = view.heldByEndpoint(request.endpointId);
  if (held.length > 0) return confirm(view, request, { ...context, held, wanted: wanted.reply });

  const chosen = wanted.reply.length > 0 ? wanted : chooseAddress(view, context);
  if (!chosen.ok) return chosen;
  for (const [index, address] of chosen.reply.entries()) {
    if (wanted.reply.length > 0) {
      const fault = staticFault(view, address, `${context.field}.addresses.${index}`);
      if (fault !== null) return fault;
    }
    view.write(sortableAddress(address), heldRecord(view, request, { address, context }));
  }
  const mac = takeMac(view, request, context.field);
  if (!mac.ok) return mac;
  return accept(describe(view, request.endpointId, mac.reply));
}

function readAddresses({ addresses = [] }: AllocationRequest, field: string): Outcome<Address[]> {
  const read: Address[] = [];
  for (const [index, text] of addresses.entries()) {
    const result = parseAddress(text);
    if (!result.ok) {
      const rest = { field: `${field}.addresses.${index}`, facts: { reason: result.reason } };
      return refuse('invalid_request', result.message, rest);
    }
    read.push(result.value);
  }
  return accept(read);
}

/** The endpoint was served before: the same answer, unless it asks for something else now. */
function confirm(
  view: NetworkView,
  request: AllocationRequest,
  context: FieldContext & {
    readonly held: readonly Address[];
    readonly wanted: readonly Address[];
  },
): Outcome<Allocation> {
  const { endpointId } = request;
  const held = context.held.map(sortableAddress);
  const mac = view.macKeptFor(endpointId) ?? macFromAddress(context.held[0] as Address);
  const isSame =
    context.wanted.every((address) => held.includes(sortableAddress(address))) &&
    (request.mac === undefined || request.mac === mac);
  if (!isSame) {
    const facts = { endpointId, holds: context.held.map(formatAddress), mac };
    const message = `endpoint ${endpointId} holds other addresses already`;
    return refuse('invalid_request', message, { field: `${context.field}.addresses`, facts });
  }
  for (const sortable of held) context.onConfirmed(sortable);
  return accept(describe(view, endpointId, mac));
}

/**
 * One dynamic address: next-fit in the first subnet with a free one; then one that has rested long enough; at last the one
 * that has rested longest.
 */
function chooseAddress(view: NetworkView, { now, field }: FieldContext): Outcome<Address[]> {
  const isOccupied = (address: Address): boolean =>
    view.entry(sortableAddress(address)) !== undefined;
  const pool = view.pools.find((one) => one.hasFree);
  if (pool !== undefined) return accept([pool.findFree(isOccupied)]);

  let best: { address: Address; until: number } | null = null;
  for (const [sortable, until] of view.resting()) {
    const address = addressFromSortable(sortable);
    if (!view.pools.some((one) => one.isDynamic(address))) continue;
    if (best === null || until < best.until) best = { address, until };
    if (best.until <= now) break;
  }
  if (best !== null) return accept([best.address]);
  const message = `${view.network.name} has no free address`;
  return refuse('pool_exhausted', message, {
    field,
    facts: exhaustion(view.network, view.records(), now),
  });
}

/** Why a static address can't be had, or null. One that rests can: whoever names it knows that its holder is gone. */
function staticFault(
  view: NetworkView,
  address: Address,
  field: string,
): Extract<Outcome<never>, { ok: false }> | null {
  const text = formatAddress(address);
  const pool = view.poolOf(address);
  if (pool === undefined) {
    const facts = { address: text, subnets: view.network.subnets.map(({ cidr }) => cidr) };
    const message = `${text} is in no subnet of ${view.network.name}`;
    return refuse('address_outside_subnet', message, { field, facts });
  }
  const entry = view.entry(sortableAddress(address));
  const reservedAs = networkRole(pool.cidr, address) ?? entry?.record.reservedAs;
  if (reservedAs !== undefined) {
    const facts = { address: text, reservedAs };
    return refuse('address_reserved', `${text} is reserved as ${reservedAs}`, { field, facts });
  }
  if (entry?.record.state !== 'held') return null;
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
  return {
    address: formatAddress(address),
    networkId: view.network.id,
    state: 'held',
    kind: 'endpoint',
    endpointId,
    host,
    ...(bootId === undefined ? {} : { bootId }),
    fencing: context.fencing,
    cause: context.cause,
  };
}

/**
 * `02:42` and four bytes belong to the holder of the IPv4 address that they spell, so such a MAC is unique without a record
 * of its own. Any other one, chosen or derived from IPv6, has a record.
 */
function takeMac(view: NetworkView, request: AllocationRequest, path: string): Outcome<string> {
  const field = `${path}.mac`;
  const primary = view.heldByEndpoint(request.endpointId)[0] as Address;
  const spelled = primary.family === 4 ? macFromIpv4(primary) : null;
  const wanted = request.mac ?? spelled ?? freeDerivedMac(view, primary);
  const result = parseMac(wanted);
  if (!result.ok) {
    return refuse('invalid_request', result.message, { field, facts: { reason: result.reason } });
  }
  const mac = result.value;
  if (mac === spelled) return accept(mac);
  if (mac.startsWith('02:42:')) {
    const bytes = mac.split(':').slice(2);
    const owner = bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
    const message = `${mac} belongs to whoever holds ${owner}`;
    return refuse('mac_taken', message, { field, facts: { mac, address: owner } });
  }
  const taken = view.mac(mac);
  if (taken !== undefined) {
    const facts = { mac, holder: taken.record.endpointId };
    const message = `${mac} is held by endpoint ${taken.record.endpointId}`;
    return refuse('mac_taken', message, { field, facts });
  }
  view.writeMac(mac, { endpointId: request.endpointId });
  return accept(mac);
}

function freeDerivedMac(view: NetworkView, primary: Address): string {
  for (let attempt = 0; ; attempt += 1) {
    const mac = macFromAddress(primary, attempt);
    if (view.mac(mac) === undefined) return mac;
  }
}

function describe(view: NetworkView, endpointId: string, mac: string): Allocation {
  const addresses = view
    .heldByEndpoint(endpointId)
    .sort(compareAddresses)
    .map((address) => view.poolOf(address)?.withPrefix(address) ?? formatAddress(address));
  return { endpointId, addresses, mac };
}

/** Takes back all that the endpoints hold; it rests until `until`. Answers how many of them held anything. */
export function releaseAll(
  view: NetworkView,
  endpointIds: readonly string[],
  { cause, until, fencing }: { cause: Cause; until: number; fencing: number },
): number {
  let released = 0;
  for (const endpointId of endpointIds) {
    const held = view.heldByEndpoint(endpointId);
    if (held.length > 0) released += 1;
    for (const address of held) {
      const sortable = sortableAddress(address);
      const { record } = view.entry(sortable) as { record: AddressRecord };
      view.write(sortable, { ...record, state: 'resting', until, fencing, cause });
    }
    const mac = view.macKeptFor(endpointId);
    if (mac !== undefined) view.writeMac(mac, null);
  }
  return released;
}

/** Drops the records of addresses that have rested enough, at most `limit` of them. Answers how many. */
export function sweepRested(
  view: NetworkView,
  { now, limit }: { now: number; limit: number },
): number {
  const rested: string[] = [];
  for (const [sortable, until] of view.resting()) {
    if (until > now || rested.length >= limit) break;
    rested.push(sortable);
  }
  for (const sortable of rested) view.write(sortable, null);
  return rested.length;
}
