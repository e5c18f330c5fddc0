// All records that an audit looks at, as one revision of the store had them, taken apart and put in place by network. What
// can't be read is kept aside; it judges nothing.

import {
  addressRecordSchema,
  endpointNameRecordSchema,
  endpointRecordSchema,
  hostRecordSchema,
  keys,
  macRecordSchema,
  networkOfSchema,
  networkRecordSchema,
  parseRecordKey,
  subnetTableSchema,
  type AddressRecord,
  type EndpointRecord,
  type HostRecord,
  type KeyValue,
  type NetworkRecord,
  type SubnetTable,
} from '@skein/contracts';
import type { Row } from './finding';

export interface AuditedNetwork {
  readonly networkId: string;
  /** Absent: there are records of a network that does not exist. */
  record?: Row<NetworkRecord>;
  readonly endpoints: Map<string, Row<EndpointRecord>>;
  /** By the sortable form of the address. */
  readonly addresses: Map<string, Row<AddressRecord>>;
  readonly names: Map<string, Row<{ endpointId: string }>>;
  readonly macs: Map<string, Row<{ endpointId: string }>>;
}

export interface AuditState {
  readonly revision: number;
  readonly networks: ReadonlyMap<string, AuditedNetwork>;
  readonly hosts: ReadonlyMap<string, Row<HostRecord>>;
  readonly networkNames: ReadonlyMap<string, Row<{ networkId: string }>>;
  readonly vnis: ReadonlyMap<number, Row<{ networkId: string }>>;
  readonly subnetTable: Row<SubnetTable>;
  readonly malformed: readonly { readonly kv: KeyValue; readonly reason: string }[];
}

type Schema<Record> = { parse(value: unknown): Record };

/** Of all keys below `stateRoot`, read at one revision; keys of other kinds are passed over. */
export function auditStateOf(kvs: readonly KeyValue[], revision: number): AuditState {
  const networks = new Map<string, AuditedNetwork>();
  const hosts = new Map<string, Row<HostRecord>>();
  const networkNames = new Map<string, Row<{ networkId: string }>>();
  const vnis = new Map<number, Row<{ networkId: string }>>();
  const malformed: { kv: KeyValue; reason: string }[] = [];
  let subnetTable: Row<SubnetTable> = {
    key: keys.subnetTable,
    modRevision: 0,
    record: { subnets: [] },
  };

  const network = (networkId: string): AuditedNetwork => {
    const known = networks.get(networkId);
    if (known !== undefined) return known;
    const made: AuditedNetwork = {
      networkId,
      endpoints: new Map(),
      addresses: new Map(),
      names: new Map(),
      macs: new Map(),
    };
    networks.set(networkId, made);
    return made;
  };
  const keep = (kv: KeyValue): void => {
    const place = parseRecordKey(kv.key);
    switch (place.kind) {
      case 'network':
        network(place.networkId).record = rowOf(kv, networkRecordSchema);
        return;
      case 'host':
        return void hosts.set(place.hostId, rowOf(kv, hostRecordSchema));
      case 'endpoint':
        network(place.networkId).endpoints.set(place.endpointId, rowOf(kv, endpointRecordSchema));
        return;
      case 'address':
        network(place.networkId).addresses.set(place.sortable, rowOf(kv, addressRecordSchema));
        return;
      case 'endpointName':
        network(place.networkId).names.set(place.name, rowOf(kv, endpointNameRecordSchema));
        return;
      case 'mac':
        return void network(place.networkId).macs.set(place.mac, rowOf(kv, macRecordSchema));
      case 'networkName':
        return void networkNames.set(place.name, rowOf(kv, networkOfSchema));
      case 'vni':
        return void vnis.set(place.vni, rowOf(kv, networkOfSchema));
      case 'subnetTable':
        subnetTable = rowOf(kv, subnetTableSchema);
        return;
      case 'other':
        return;
    }
  };
  for (const kv of kvs) {
    try {
      keep(kv);
    } catch (thrown) {
      malformed.push({ kv, reason: String(thrown).slice(0, 200) });
    }
  }
  return { revision, networks, hosts, networkNames, vnis, subnetTable, malformed };
}

function rowOf<Record>(kv: KeyValue, schema: Schema<Record>): Row<Record> {
  const record = schema.parse(JSON.parse(kv.value));
  return { key: kv.key, modRevision: kv.modRevision, record };
}
