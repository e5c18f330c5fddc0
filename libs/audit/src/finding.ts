// What an audit finds: one thing that is not as it must be, what that was judged by, and, where it is safe, the transaction
// that puts it right. Knows no check and sends nothing.

import type { Compare, KeyValue, Operation } from '@skein/contracts';

export const findingKinds = [
  // The store against itself.
  'record_malformed',
  'record_of_missing_network',
  'address_without_endpoint',
  'address_outside_subnet',
  'address_held_twice',
  'address_held_by_other',
  'endpoint_without_address',
  'endpoint_on_missing_host',
  'address_of_other_host',
  'address_of_earlier_boot',
  'gateway_not_held',
  'reservation_without_subnet',
  'name_without_endpoint',
  'name_held_twice',
  'endpoint_without_name',
  'mac_without_endpoint',
  'mac_held_twice',
  'endpoint_without_mac',
  'network_without_name',
  'network_name_without_network',
  'network_without_vni',
  'vni_without_network',
  'subnet_not_in_table',
  'table_row_without_subnet',
  'subnets_overlap',
  'subnet_meets_host_route',
  // The actors against the store.
  'actor_differs',
  // The hosts' kernels against the store.
  'endpoint_not_plugged',
  'plugged_without_endpoint',
  'plugged_addresses_differ',
] as const;
export type FindingKind = (typeof findingKinds)[number];

export interface Repair {
  /** In words: what it does. */
  readonly does: string;
  /** Compares all that it was decided on: it takes effect only if nothing has changed since. */
  readonly compare: readonly Compare[];
  readonly success: readonly Exclude<Operation, { type: 'range' | 'txn' }>[];
}

export interface Finding {
  readonly kind: FindingKind;
  /** Key, address or endpoint that it is about. */
  readonly subject: string;
  readonly networkId?: string;
  readonly host?: string;
  readonly message: string;
  /** The records that it was judged by, with their revisions: equal at a second look if nothing moved. */
  readonly evidence: readonly string[];
  /** Absent: a person has to look. */
  readonly repair?: Repair;
}

/** One finding is the same as another if it is about the same thing, judged by the same records. */
export function findingId({ kind, networkId, host, subject, evidence }: Finding): string {
  return JSON.stringify([kind, networkId ?? '', host ?? '', subject, ...evidence]);
}

/** Those of the second look that the first one had as well, on the same evidence: the others are things in motion. */
export function confirmed(first: readonly Finding[], second: readonly Finding[]): Finding[] {
  const seen = new Set(first.map(findingId));
  return second.filter((finding) => seen.has(findingId(finding)));
}

/** A key with what was read under it. */
export interface Row<Record> {
  readonly key: string;
  readonly modRevision: number;
  readonly record: Record;
}

export function evidenceOf(...rows: readonly (Row<unknown> | KeyValue | undefined)[]): string[] {
  return rows.flatMap((row) => (row === undefined ? [] : [`${row.key}@${row.modRevision}`]));
}

export function unchanged({ key, modRevision }: { key: string; modRevision: number }): Compare {
  return { key, target: 'modRevision', operator: '=', value: modRevision };
}

export function absent(key: string): Compare {
  return { key, target: 'modRevision', operator: '=', value: 0 };
}

export function put(key: string, record: unknown): { type: 'put'; key: string; value: string } {
  return { type: 'put', key, value: JSON.stringify(record) };
}

export function remove(key: string): { type: 'delete'; key: string } {
  return { type: 'delete', key };
}
