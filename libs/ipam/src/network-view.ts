// What an activation knows of its network: every address and MAC record with the revision it was read at. It is a copy that
// may be old; the store decides. Changes are journalled, so that a refused request leaves no trace and a turn knows what to compare.

import { addressFromSortable, compareAddresses, type Address } from '@skein/ip';
import {
  type AddressRecord,
  type KeyValue,
  type MacRecord,
  type NetworkRecord,
  type Versioned,
} from './records';
import { SubnetPool } from './subnet-pool';

/** All of a network as one linearizable read gave it. */
export interface NetworkContent {
  readonly network: NetworkRecord;
  readonly addresses: readonly KeyValue[];
  readonly macs: readonly KeyValue[];
}

type Change =
  | { readonly kind: 'address'; readonly id: string; readonly before: Entry | undefined }
  | { readonly kind: 'mac'; readonly id: string; readonly before: MacEntry | undefined };

export type Entry = Versioned<AddressRecord>;
type MacEntry = Versioned<MacRecord>;

export class NetworkView {
  readonly network: NetworkRecord;
  readonly pools: readonly SubnetPool[];
  private readonly entries = new Map<string, Entry>();
  private readonly macs = new Map<string, MacEntry>();
  private readonly heldBy = new Map<string, Set<string>>();
  private readonly macOf = new Map<string, string>();
  /** Resting addresses, longest rested first. */
  private readonly restingUntil = new Map<string, number>();
  private journal: Change[] = [];

  constructor({ network, addresses, macs }: NetworkContent) {
    this.network = network;
    this.pools = network.subnets.map((subnet) => new SubnetPool(subnet));
    // In the order they were written: the search goes on where the last activation left it, resting ones are in line.
    for (const kv of [...addresses].sort((a, b) => a.modRevision - b.modRevision)) {
      const sortable = kv.key.slice(kv.key.lastIndexOf('/') + 1);
      const record = JSON.parse(kv.value) as AddressRecord;
      this.place(sortable, { record, modRevision: kv.modRevision });
    }
    for (const kv of macs) {
      const mac = kv.key.slice(kv.key.lastIndexOf('/') + 1);
      this.placeMac(mac, {
        record: JSON.parse(kv.value) as MacRecord,
        modRevision: kv.modRevision,
      });
    }
  }

  entry(sortable: string): Entry | undefined {
    return this.entries.get(sortable);
  }

  mac(mac: string): MacEntry | undefined {
    return this.macs.get(mac);
  }

  /** MAC record of an endpoint, if it has one of its own choice. */
  macKeptFor(endpointId: string): string | undefined {
    return this.macOf.get(endpointId);
  }

  /** Addresses that an endpoint holds, IPv4 first, lowest first. */
  heldByEndpoint(endpointId: string): Address[] {
    const held = [...(this.heldBy.get(endpointId) ?? [])].map(addressFromSortable);
    return held.sort(compareAddresses);
  }

  poolOf(address: Address): SubnetPool | undefined {
    return this.pools.find((pool) => pool.contains(address));
  }

  /** Resting addresses with the time until which they rest. */
  resting(): IterableIterator<[string, number]> {
    return this.restingUntil.entries();
  }

  *records(): IterableIterator<AddressRecord> {
    for (const { record } of this.entries.values()) yield record;
  }

  /** A place in the journal to go back to. */
  get mark(): number {
    return this.journal.length;
  }

  changes(since = 0): readonly Change[] {
    return this.journal.slice(since);
  }

  write(sortable: string, record: AddressRecord | null): void {
    const before = this.entries.get(sortable);
    this.journal.push({ kind: 'address', id: sortable, before });
    const modRevision = before?.modRevision ?? 0;
    this.place(sortable, record === null ? undefined : { record, modRevision });
  }

  writeMac(mac: string, record: MacRecord | null): void {
    const before = this.macs.get(mac);
    this.journal.push({ kind: 'mac', id: mac, before });
    const modRevision = before?.modRevision ?? 0;
    this.placeMac(mac, record === null ? undefined : { record, modRevision });
  }

  rollBack(mark: number): void {
    for (const { kind, id, before } of this.journal.splice(mark).reverse()) {
      if (kind === 'address') this.place(id, before as Entry | undefined);
      else this.placeMac(id, before as MacEntry | undefined);
    }
  }

  /** The journal was committed at this revision. */
  settle(revision: number): void {
    for (const { kind, id } of this.journal) {
      const entries: Map<string, Versioned<unknown>> = kind === 'address'
        ? this.entries
        : this.macs;
      const entry = entries.get(id);
      if (entry !== undefined) entries.set(id, { ...entry, modRevision: revision });
    }
    this.journal = [];
  }

  private place(sortable: string, entry: Entry | undefined): void {
    const before = this.entries.get(sortable);
    const address = addressFromSortable(sortable);
    if (before !== undefined) this.forget(sortable, before.record);
    if (entry === undefined) this.entries.delete(sortable);
    else this.entries.set(sortable, entry);

    const change = Number(entry !== undefined) - Number(before !== undefined);
    const pool = this.poolOf(address);
    if (change !== 0) pool?.count(address, change as 1 | -1);
    if (entry === undefined) return;
    const { state, endpointId, until } = entry.record;
    if (state === 'resting') this.restingUntil.set(sortable, until ?? 0);
    else if (endpointId !== undefined) {
      const held = this.heldBy.get(endpointId);
      if (held === undefined) this.heldBy.set(endpointId, new Set([sortable]));
      else held.add(sortable);
      pool?.advancePast(address);
    }
  }

  private forget(sortable: string, { endpointId }: AddressRecord): void {
    this.restingUntil.delete(sortable);
    const held = endpointId === undefined ? undefined : this.heldBy.get(endpointId);
    if (endpointId === undefined || held === undefined) return;
    held.delete(sortable);
    if (held.size === 0) this.heldBy.delete(endpointId);
  }

  private placeMac(mac: string, entry: MacEntry | undefined): void {
    const before = this.macs.get(mac);
    if (before !== undefined) this.macOf.delete(before.record.endpointId);
    if (entry === undefined) this.macs.delete(mac);
    else {
      this.macs.set(mac, entry);
      this.macOf.set(entry.record.endpointId, mac);
    }
  }
}
