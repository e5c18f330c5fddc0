// What an activation knows of its network: every address and MAC record with the revision it was read at. It is a copy that
// may be old; the store decides. Changes are journalled, so that a refused request leaves no trace and a turn knows what to compare.

import { addressFromSortable, sortableAddress, type Address, type Family } from '@skein/ip';
import { type BeliefEntry } from './belief';
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
  /** At which the network's record was last written. */
  readonly networkRevision: number;
  readonly addresses: readonly KeyValue[];
  readonly macs: readonly KeyValue[];
}

type Change =
  | {
      readonly kind: 'address';
      readonly id: string;
      readonly before: Entry | undefined;
      /** Of what was there before, if that was resting. */
      readonly restedAt: number;
    }
  | { readonly kind: 'mac'; readonly id: string; readonly before: MacEntry | undefined };

export type Entry = Versioned<AddressRecord>;
type MacEntry = Versioned<MacRecord>;

export class NetworkView {
  readonly network: NetworkRecord;
  readonly networkRevision: number;
  readonly pools: readonly SubnetPool[];
  /** Of the subnets, IPv4 first: an endpoint gets an address of each. */
  readonly families: readonly Family[];
  private readonly entries = new Map<string, { record: AddressRecord; modRevision: number }>();
  private readonly macs = new Map<string, { record: MacRecord; modRevision: number }>();
  /** In sortable form, lowest first. */
  private readonly heldBy = new Map<string, readonly string[]>();
  private readonly macOf = new Map<string, string>();
  /** Resting addresses, longest rested first, with the monotonic time from which each may be given out. */
  private readonly restedAt = new Map<string, number>();
  /** Endpoints that were found to exist when their addresses were to be released. */
  private readonly attached = new Set<string>();
  private journal: Change[] = [];

  /**
   * `restedAt`, on the driver's monotonic clock: when an address that rests in `content` may be given out. Nobody's wall clock
   * takes part, so that no clock that jumps ends a rest early.
   */
  constructor({ network, networkRevision, addresses, macs }: NetworkContent, restedAt = 0) {
    this.network = network;
    this.networkRevision = networkRevision;
    this.pools = network.subnets.map((subnet) => new SubnetPool(subnet));
    this.families = ([4, 6] as const).filter((family) =>
      this.pools.some((pool) => pool.cidr.family === family),
    );
    // In the order they were written: the search goes on where the last activation left it, resting ones are in line.
    for (const kv of [...addresses].sort((a, b) => a.modRevision - b.modRevision)) {
      this.place(nameIn(kv.key), entryOf(kv), restedAt);
    }
    for (const kv of macs) this.placeMac(nameIn(kv.key), entryOf(kv));
  }

  entry(sortable: string): Entry | undefined {
    return this.entries.get(sortable);
  }

  /** Whether anything is known of it: held, reserved or resting. */
  isRecorded(address: Address): boolean {
    return this.entries.has(sortableAddress(address));
  }

  mac(mac: string): MacEntry | undefined {
    return this.macs.get(mac);
  }

  /** MAC record of an endpoint, if it has one of its own choice. */
  macKeptFor(endpointId: string): string | undefined {
    return this.macOf.get(endpointId);
  }

  /** Addresses that an endpoint holds, in sortable form: IPv4 first, lowest first. */
  heldByEndpoint(endpointId: string): readonly string[] {
    return this.heldBy.get(endpointId) ?? nothing;
  }

  isAttached(endpointId: string): boolean {
    return this.attached.has(endpointId);
  }

  poolOf(address: Address): SubnetPool | undefined {
    return this.pools.find((pool) => pool.contains(address));
  }

  /** Resting addresses with the monotonic time from which they may be given out. */
  resting(): IterableIterator<[string, number]> {
    return this.restedAt.entries();
  }

  *records(): IterableIterator<AddressRecord> {
    for (const { record } of this.entries.values()) yield record;
  }

  /** Each address with the revision of its record as it is believed to be. */
  *beliefs(): IterableIterator<BeliefEntry> {
    for (const [sortable, { modRevision }] of this.entries) yield [sortable, modRevision];
  }

  /** Records, of whatever kind, that are kept in memory. */
  get size(): number {
    return this.entries.size + this.macs.size;
  }

  /** A place in the journal to go back to. */
  get mark(): number {
    return this.journal.length;
  }

  changes(since = 0): readonly Change[] {
    return since === 0 ? this.journal : this.journal.slice(since);
  }

  write(
    sortable: string,
    record: AddressRecord | null,
    { restedAt = 0, address }: Known = {},
  ): void {
    const before = this.entries.get(sortable);
    const wasRestedAt = this.restedAt.get(sortable) ?? 0;
    this.journal.push({ kind: 'address', id: sortable, before, restedAt: wasRestedAt });
    const modRevision = before?.modRevision ?? 0;
    const entry = record === null ? undefined : { record, modRevision };
    this.place(sortable, entry, restedAt, address);
  }

  writeMac(mac: string, record: MacRecord | null): void {
    const before = this.macs.get(mac);
    this.journal.push({ kind: 'mac', id: mac, before });
    const modRevision = before?.modRevision ?? 0;
    this.placeMac(mac, record === null ? undefined : { record, modRevision });
  }

  rollBack(mark: number): void {
    for (const change of this.journal.splice(mark).reverse()) {
      if (change.kind === 'mac') this.placeMac(change.id, change.before);
      else this.place(change.id, change.before, change.restedAt);
    }
  }

  /** The journal was committed at this revision. What rests since rests until `restedAt`: a rest begins with its commit. */
  settle(revision: number, restedAt: number): void {
    for (const { kind, id } of this.journal) {
      if (kind === 'mac') settleIn(this.macs, id, revision);
      else {
        settleIn(this.entries, id, revision);
        if (this.restedAt.has(id)) this.restedAt.set(id, restedAt);
      }
    }
    this.journal = [];
    this.attached.clear();
  }

  /** Somebody else has written this address, or deleted it: takes over what was read. Only on a settled view. */
  refreshAddress(sortable: string, kv: KeyValue | undefined, restedAt: number): void {
    if (this.entries.get(sortable)?.modRevision === kv?.modRevision) return;
    this.place(sortable, kv === undefined ? undefined : entryOf(kv), restedAt);
  }

  refreshMac(mac: string, kv: KeyValue | undefined): void {
    if (this.macs.get(mac)?.modRevision === kv?.modRevision) return;
    this.placeMac(mac, kv === undefined ? undefined : entryOf(kv));
  }

  refreshAttached(endpointId: string, isAttached: boolean): void {
    if (isAttached) this.attached.add(endpointId);
    else this.attached.delete(endpointId);
  }

  private place(
    sortable: string,
    entry: Entry | undefined,
    restedAt: number,
    address = addressFromSortable(sortable),
  ): void {
    const before = this.entries.get(sortable);
    if (before !== undefined) this.forget(sortable, before.record);
    if (entry === undefined) this.entries.delete(sortable);
    else this.entries.set(sortable, entry);

    const pool = this.poolOf(address);
    if (before === undefined && entry !== undefined) pool?.count(address, 1);
    if (before !== undefined && entry === undefined) pool?.count(address, -1);
    if (entry === undefined) return;
    const { state, endpointId } = entry.record;
    if (state === 'resting') this.restedAt.set(sortable, restedAt);
    else if (endpointId !== undefined) {
      const held = this.heldBy.get(endpointId);
      this.heldBy.set(endpointId, held === undefined ? [sortable] : [...held, sortable].sort());
      pool?.advancePast(address);
    }
  }

  private forget(sortable: string, { endpointId }: AddressRecord): void {
    this.restedAt.delete(sortable);
    const held = endpointId === undefined ? undefined : this.heldBy.get(endpointId);
    if (endpointId === undefined || held === undefined) return;
    const left = held.filter((one) => one !== sortable);
    if (left.length === 0) this.heldBy.delete(endpointId);
    else this.heldBy.set(endpointId, left);
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

const nothing: readonly string[] = [];

interface Known {
  /** Of a record that rests: as in the constructor. */
  readonly restedAt?: number;
  /** What `sortable` is of, if that is known already. */
  readonly address?: Address;
}

function nameIn(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

function entryOf<Record>(kv: KeyValue): Versioned<Record> {
  return { record: JSON.parse(kv.value) as Record, modRevision: kv.modRevision };
}

function settleIn<Record>(
  entries: Map<string, { record: Record; modRevision: number }>,
  id: string,
  revision: number,
): void {
  const entry = entries.get(id);
  // In its place, since nobody else has it: what a journal holds on to are the entries before.
  if (entry !== undefined) entry.modRevision = revision;
}
