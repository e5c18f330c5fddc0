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

interface Page {
  readonly kvs: readonly KeyValue[];
  readonly revision: number;
  readonly more: boolean;
  readonly cursor?: string;
}

/** An answer has room for some 700 KiB: everything takes several, all as of the first one's revision. */
async function readAll(rest: Rest): Promise<{ kvs: KeyValue[]; revision: number }> {
  const path = `/v1/kv?prefix=${encodeURIComponent('/skein/')}`;
  let page = (await rest.get(path)) as Page;
  const { revision } = page;
  const kvs = [...page.kvs];
  while (page.more && page.cursor !== undefined) {
    const next = `${path}&revision=${revision}&cursor=${encodeURIComponent(page.cursor)}`;
    page = (await rest.get(next)) as Page;
    kvs.push(...page.kvs);
  }
  if (page.more) throw new Error('a page of the store says that there are more, and not where');
  return { kvs, revision };
}

export async function readCommitted(rest: Rest): Promise<Committed> {
  const { kvs, revision } = await readAll(rest);
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
