// Reading what may be larger than one answer: spans page by page at one revision, so that the pages fit together.

import type { CallOptions, KeyValue, RangeRequest, Store } from '@skein/store-client';

/** A page of records fits into a message with room to spare. */
export const pageSize = 1_000;

export interface Reading {
  readonly kvs: KeyValue[];
  readonly revision: number;
}

/** All keys that start with `prefix`, as of `revision` or of now. */
export async function readAll(
  store: Store,
  request: { readonly prefix: string; readonly keysOnly?: boolean; readonly revision?: number },
  options: CallOptions,
): Promise<Reading> {
  const { prefix, keysOnly = false } = request;
  let revision = request.revision;
  const kvs: KeyValue[] = [];
  for (;;) {
    const last = kvs.at(-1)?.key;
    const page = await store.range(pageRequest({ prefix, last, keysOnly, revision }), options);
    revision ??= page.revision;
    kvs.push(...page.kvs);
    if (!page.more) return { kvs, revision };
  }
}

interface Page {
  readonly prefix: string;
  readonly last: string | undefined;
  readonly keysOnly: boolean;
  readonly revision: number | undefined;
}

function pageRequest({ prefix, last, keysOnly, revision }: Page): RangeRequest {
  const rest = { limit: pageSize, keysOnly, ...(revision === undefined ? {} : { revision }) };
  if (last === undefined) return { key: prefix, prefix: true, ...rest };
  // Keys end in text below U+FFFF, so this is the first key after the prefix's last.
  return { key: `${last}\0`, rangeEnd: `${prefix}\uffff`, ...rest };
}

export function parseValue<Value>(kv: KeyValue): Value {
  return JSON.parse(kv.value) as Value;
}
