// The committed state as of one revision, read through the gateway as anyone could: for the audit at the end.

import { auditFindings, auditStateOf, type Finding } from '@skein/audit';
import type { EndpointRecord, HostRecord, KeyValue, NetworkRecord } from '@skein/contracts';
import type { Rest } from './rest';

export interface Committed {
  readonly revision: number;
  readonly networks: ReadonlyMap<string, NetworkRecord>;
  readonly endpoints: readonly EndpointRecord[];
  readonly hosts: readonly HostRecord[];
  /** What the store says wrong of itself. */
  readonly findings: readonly Finding[];
}

const limit = 10_000;

export async function readCommitted(rest: Rest): Promise<Committed> {
  const path = `/v1/kv?prefix=${encodeURIComponent('/skein/')}&limit=${limit}`;
  const { kvs, revision } = (await rest.get(path)) as { kvs: KeyValue[]; revision: number };
  if (kvs.length >= limit) throw new Error(`the store holds more than ${limit} keys`);
  const under = <T>(noun: string): T[] =>
    kvs
      .filter(({ key }) => key.startsWith(`/skein/${noun}/`))
      .map(({ value }) => JSON.parse(value) as T);
  const networks = under<NetworkRecord>('network').map((one) => [one.id, one] as const);
  return {
    revision,
    networks: new Map(networks),
    endpoints: under<EndpointRecord>('endpoint'),
    hosts: under<HostRecord>('host'),
    findings: auditFindings(auditStateOf(kvs, revision), { now: Date.now(), graceMs: 0 }),
  };
}
