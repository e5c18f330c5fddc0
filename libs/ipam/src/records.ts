// The words of address management: what is kept in the store, what is asked and how it is refused. Shapes are those of the
// contracts, written again here because a pure core depends on no schema library; keys are built by whoever drives it.

import { type Compare, type KeyValue, type Operation } from '@skein/store';

export type { Compare, KeyValue, Operation };

/** The most compares, and the most operations, that one transaction takes: 256 endpoints of two addresses each fit. */
export const transactionLimit = 1_024;

export interface Transaction {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
}

/** What makes a reply true, once it is committed. */
export interface Plan<Reply> {
  readonly transaction: Transaction;
  readonly reply: Reply;
}

/** How the keys of the committed state are built. */
export interface Keyspace {
  network(networkId: string): string;
  networkName(name: string): string;
  vni(vni: number): string;
  readonly subnetTable: string;
  address(networkId: string, sortable: string): string;
  addresses(networkId: string): string;
  mac(networkId: string, mac: string): string;
  macs(networkId: string): string;
  endpoint(networkId: string, endpointId: string): string;
  endpoints(networkId: string): string;
  endpointNames(networkId: string): string;
  services(networkId: string): string;
  actor(kind: string, id: string): string;
}

/** Kind of the actor that owns a network's addresses. */
export const networkActorKind = 'network';

export type RefusalCode =
  | 'invalid_request'
  | 'network_not_found'
  | 'network_name_taken'
  | 'network_in_use'
  | 'vni_taken'
  | 'subnet_malformed'
  | 'subnet_overlap'
  | 'subnet_excluded'
  | 'subnet_routed'
  | 'subnets_exhausted'
  | 'address_outside_subnet'
  | 'address_reserved'
  | 'address_taken'
  | 'mac_taken'
  | 'endpoint_attached'
  | 'pool_exhausted'
  | 'fenced'
  | 'overloaded'
  | 'deadline_exceeded';

export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  readonly field?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}
export type Outcome<Reply> =
  { readonly ok: true; readonly reply: Reply } | { readonly ok: false; readonly refusal: Refusal };

export function accept<Reply>(reply: Reply): Outcome<Reply> {
  return { ok: true, reply };
}
export function refuse(
  code: RefusalCode,
  message: string,
  rest: { field?: string | undefined; facts?: Readonly<Record<string, unknown>> } = {},
): { ok: false; refusal: Refusal } {
  const { field, facts } = rest;
  return {
    ok: false,
    refusal: {
      code,
      message,
      ...(field === undefined ? {} : { field }),
      ...(facts === undefined ? {} : { facts }),
    },
  };
}

export interface Cause {
  readonly request: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface SubnetRecord {
  readonly cidr: string;
  readonly range?: string | undefined;
  readonly gateway: string;
  readonly reserved: Readonly<Record<string, string>>;
}

/** The part of a network that addresses depend on; whoever drives it keeps the rest of the record. */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  readonly vni: number;
  readonly subnets: readonly SubnetRecord[];
  /** Its subnets may overlap those of others, what is excluded and hosts' routes. */
  readonly allowOverlap?: boolean | undefined;
}

export interface SubnetTable {
  readonly subnets: readonly { readonly cidr: string; readonly networkId: string }[];
  /** Prefixes that no network may have. */
  readonly excluded?: readonly Exclusion[] | undefined;
}

export interface Exclusion {
  readonly cidr: string;
  readonly reason?: string | undefined;
  readonly created: Cause;
}

export interface AddressRecord {
  readonly address: string;
  readonly networkId: string;
  readonly state: 'held' | 'resting';
  readonly kind: 'endpoint' | 'gateway' | 'reserved';
  readonly endpointId?: string;
  readonly reservedAs?: string;
  readonly host?: string;
  readonly bootId?: string;
  readonly fencing?: number;
  readonly until?: number;
  readonly cause: Cause;
}

export interface MacRecord {
  readonly endpointId: string;
}

/** A record and the revision at which it was last written: what the next write of it compares. */
export interface Versioned<Record> {
  readonly record: Record;
  readonly modRevision: number;
}

/** What the store compares to make sure that a key is as it was read; `modRevision` 0 means absent. */
export function unchanged(key: string, modRevision: number): Compare {
  return { key, target: 'modRevision', operator: '=', value: modRevision };
}

export function put(key: string, record: unknown): Operation {
  return { type: 'put', key, value: JSON.stringify(record) };
}
