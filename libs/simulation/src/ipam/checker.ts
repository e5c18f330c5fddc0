// What must hold of addresses, looked at from both sides: what clients were told and have not given back, and what the store
// has after every revision. Knows the network's plan and nothing of replicas, turns or fences.

import { keys } from '@skein/contracts';
import {
  address,
  addressFromSortable,
  cidr,
  contains,
  isUsable,
  sortableAddress,
  type Family,
} from '@skein/ip';
import type { AddressRecord, NetworkRecord } from '@skein/ipam';
import type { StoreEvent } from '@skein/store';

const familiesOf = (network: NetworkRecord): number =>
  new Set(network.subnets.map(({ cidr: text }) => cidr(text).family)).size;

export interface IpamViolation {
  readonly atMs: number;
  /** `one-holder`, `acknowledged-is-stored`, `all-or-nothing`, `allowed-address`, `resting`, `leak`, `liveness`. */
  readonly rule: string;
  readonly message: string;
}

export interface Batch {
  readonly endpointIds: readonly string[];
  /** Absent: of the network's choice. */
  readonly wanted?: string | undefined;
  /** The client has asked for its release. */
  isReleasing: boolean;
}

export class AddressChecker {
  readonly violations: IpamViolation[] = [];
  /** Acknowledged and not given back: sortable address to endpoint. */
  private readonly live = new Map<string, string>();
  private readonly liveMacs = new Map<string, string>();
  private readonly batches = new Map<string, Batch>();
  private readonly records = new Map<string, AddressRecord>();
  /** How many addresses an endpoint holds in the store. */
  private readonly held = new Map<string, number>();
  /** When an address began to rest, on the one clock that never jumps. */
  private readonly restingSince = new Map<string, number>();
  private readonly prefix: string;

  constructor(
    /** Grows when a subnet is added. */
    private network: NetworkRecord,
    private readonly rest: { readonly nowMs: () => number; readonly restMs: number },
  ) {
    this.prefix = keys.addresses(network.id);
  }

  private get nowMs(): number {
    return this.rest.nowMs();
  }

  /** A subnet was added, of a family that the network had already. */
  grown(network: NetworkRecord): void {
    this.network = network;
  }

  begin(batch: Batch): void {
    for (const endpointId of batch.endpointIds) this.batches.set(endpointId, batch);
  }

  acknowledged(
    batch: Batch,
    allocations: readonly { endpointId: string; addresses: readonly string[]; mac: string }[],
  ): void {
    const told = new Set(allocations.map(({ endpointId }) => endpointId));
    if (batch.endpointIds.some((endpointId) => !told.has(endpointId))) {
      this.report('all-or-nothing', `told ${told.size} of ${batch.endpointIds.length} endpoints`);
    }
    for (const { endpointId, addresses, mac } of allocations) {
      if (addresses.length !== familiesOf(this.network)) {
        this.report(
          'one-holder',
          `${endpointId} was given ${addresses.join(' and ') || 'nothing'}`,
        );
      }
      for (const text of addresses) this.given(endpointId, text.split('/')[0] ?? '', batch);
      const other = this.liveMacs.get(mac);
      if (other !== undefined && other !== endpointId) {
        this.report('one-holder', `${mac} of ${other} was given to ${endpointId}`);
      }
      this.liveMacs.set(mac, endpointId);
    }
  }

  releasing(batch: Batch): void {
    batch.isReleasing = true;
    const ids = new Set(batch.endpointIds);
    for (const [sortable, endpointId] of this.live)
      if (ids.has(endpointId)) this.live.delete(sortable);
    for (const [mac, endpointId] of this.liveMacs)
      if (ids.has(endpointId)) this.liveMacs.delete(mac);
  }

  /** One revision of the store. */
  committed(events: readonly StoreEvent[]): void {
    const touched = new Set<Batch>();
    const before = new Set(this.records.keys());
    for (const { type, kv } of events) {
      if (!kv.key.startsWith(this.prefix)) continue;
      const sortable = kv.key.slice(this.prefix.length);
      const record = type === 'put' ? (JSON.parse(kv.value) as AddressRecord) : undefined;
      this.look(sortable, record, before);
      for (const one of [this.records.get(sortable), record]) {
        const batch = this.batches.get(one?.endpointId ?? '');
        if (batch !== undefined) touched.add(batch);
      }
      this.keep(sortable, record);
    }
    for (const batch of touched) this.lookAtBatch(batch);
  }

  /** After everybody has come to rest: what is held is exactly what clients hold. */
  finish(): void {
    for (const [sortable, { state, kind, endpointId }] of this.records) {
      if (state !== 'held' || kind !== 'endpoint') continue;
      if (this.live.get(sortable) !== endpointId) {
        this.report(
          'leak',
          `${sortable} is held by ${endpointId}, which gave it back or never knew`,
        );
      }
    }
  }

  report(rule: string, message: string): void {
    this.violations.push({ atMs: Math.round(this.nowMs), rule, message });
  }

  private given(endpointId: string, text: string, batch: Batch): void {
    const sortable = sortableAddress(address(text));
    const holder = this.live.get(sortable);
    if (holder !== undefined && holder !== endpointId) {
      this.report('one-holder', `${text} of ${holder} was given to ${endpointId}`);
    }
    this.live.set(sortable, endpointId);
    const isOther = batch.wanted !== undefined && batch.wanted !== text;
    if (isOther && address(batch.wanted).family === address(text).family) {
      this.report('allowed-address', `${endpointId} asked for ${batch.wanted} and got ${text}`);
    }
    const record = this.records.get(sortable);
    if (record?.state !== 'held' || record.endpointId !== endpointId) {
      this.report('acknowledged-is-stored', `${text} was given to ${endpointId} and is not stored`);
    }
  }

  private look(
    sortable: string,
    record: AddressRecord | undefined,
    before: ReadonlySet<string>,
  ): void {
    const holder = this.live.get(sortable);
    const isHeld = record?.state === 'held';
    if (holder !== undefined && (!isHeld || record.endpointId !== holder)) {
      this.report('one-holder', `${sortable} of ${holder} became ${record?.endpointId ?? 'free'}`);
    }
    if (!isHeld || record.kind !== 'endpoint') return;
    const batch = this.batches.get(record.endpointId ?? '');
    const isDynamic = batch?.wanted !== record.address;
    if (!this.isAllowed(sortable, isDynamic)) {
      this.report('allowed-address', `${record.address} was given to ${record.endpointId}`);
    }
    const previous = this.records.get(sortable);
    const restedMs = this.nowMs - (this.restingSince.get(sortable) ?? -Infinity);
    const isTooEarly = previous?.state === 'resting' && restedMs < this.rest.restMs;
    const { family } = addressFromSortable(sortable);
    if (isTooEarly && isDynamic && this.hasFree(before, family)) {
      this.report(
        'resting',
        `${record.address} was given out while it rested and others were free`,
      );
    }
  }

  private isAllowed(sortable: string, isDynamic: boolean): boolean {
    const one = addressFromSortable(sortable);
    const subnet = this.network.subnets.find(({ cidr: text }) => contains(cidr(text), one));
    if (subnet === undefined || !isUsable(cidr(subnet.cidr), one)) return false;
    const own = [subnet.gateway, ...Object.values(subnet.reserved)].map(address);
    if (own.some((other) => sortableAddress(other) === sortable)) return false;
    return !isDynamic || subnet.range === undefined || contains(cidr(subnet.range), one);
  }

  /** Whether some dynamic address of the family had no record at all. */
  private hasFree(before: ReadonlySet<string>, family: Family): boolean {
    return this.network.subnets.some((subnet) => {
      const range = cidr(subnet.range ?? subnet.cidr);
      if (range.family !== family) return false;
      for (let value = range.value; contains(range, { family: range.family, value }); value += 1n) {
        const sortable = sortableAddress({ family: range.family, value });
        const isMissing = !before.has(sortable) && !this.records.has(sortable);
        if (isMissing && this.isAllowed(sortable, true)) return true;
      }
      return false;
    });
  }

  private keep(sortable: string, record: AddressRecord | undefined): void {
    this.count(this.records.get(sortable), -1);
    this.count(record, 1);
    if (record?.state !== 'resting') this.restingSince.delete(sortable);
    else if (!this.restingSince.has(sortable)) this.restingSince.set(sortable, this.nowMs);
    if (record === undefined) this.records.delete(sortable);
    else this.records.set(sortable, record);
  }

  private count(record: AddressRecord | undefined, change: 1 | -1): void {
    if (record?.state !== 'held' || record.endpointId === undefined) return;
    this.held.set(record.endpointId, (this.held.get(record.endpointId) ?? 0) + change);
  }

  private lookAtBatch({ endpointIds, isReleasing }: Batch): void {
    if (isReleasing) return;
    const counts = endpointIds.map((endpointId) => this.held.get(endpointId) ?? 0);
    const most = familiesOf(this.network);
    if (counts.some((count) => count !== counts[0] || (count !== 0 && count !== most))) {
      this.report(
        'all-or-nothing',
        `${endpointIds.join(', ')} hold ${counts.join(', ')} addresses`,
      );
    }
  }
}
