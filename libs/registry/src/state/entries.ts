// The store's records as the registry keeps them in memory: parsed, each with the revision that wrote it.

import {
  endpointRecordSchema,
  hostRecordSchema,
  networkRecordSchema,
  parseStateKey,
  type EndpointRecord,
  type HostRecord,
  type KeyValue,
  type NetworkRecord,
} from '@skein/contracts';
import type { StateChange } from '@skein/share';

interface Written {
  /** The store's modRevision of the record. */
  readonly revision: number;
}

export type NetworkEntry = NetworkRecord & Written;
export type HostEntry = HostRecord & Written;
export type EndpointEntry = EndpointRecord & Written;
export type EntryChange = StateChange<NetworkEntry, HostEntry, EndpointEntry>;

const puts = new WeakMap<KeyValue, EntryChange | null>();

/**
 * The change that a key's new value is; null where the key is of no concern. Throws where the value is no record. What was read
 * once is not read again.
 */
export function changeOf(kv: KeyValue, type: 'put' | 'delete'): EntryChange | null {
  if (type === 'delete') return readChange(kv, type);
  let change = puts.get(kv);
  if (change === undefined) puts.set(kv, (change = readChange(kv, type)));
  return change;
}

function readChange(kv: KeyValue, type: 'put' | 'delete'): EntryChange | null {
  const key = parseStateKey(kv.key);
  const gone = type === 'delete';
  const revision = kv.modRevision;
  switch (key.kind) {
    case 'network': {
      const record = gone ? null : { ...networkRecordSchema.parse(JSON.parse(kv.value)), revision };
      return { kind: 'network', id: key.networkId, record };
    }
    case 'host': {
      const record = gone ? null : { ...hostRecordSchema.parse(JSON.parse(kv.value)), revision };
      return { kind: 'host', id: key.hostId, record };
    }
    case 'endpoint': {
      const record = gone
        ? null
        : { ...endpointRecordSchema.parse(JSON.parse(kv.value)), revision };
      return { kind: 'endpoint', id: key.endpointId, record };
    }
    case 'address':
    case 'other':
      return null;
  }
}
