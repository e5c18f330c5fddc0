// One subnet of a network as a place to take addresses from: which are dynamic, how many of those are occupied, and where to
// look next. It keeps numbers only; who holds what is the view's matter.

import {
  addressAt,
  cidr,
  cidrSize,
  contains,
  formatCidr,
  offsetOf,
  usableCount,
  usableOffsets,
  type Address,
  type Cidr,
} from '@skein/ip';
import { type SubnetRecord } from './records';

export class SubnetPool {
  readonly cidr: Cidr;
  /** Offsets of the first and last dynamic address. */
  private readonly first: bigint;
  private readonly last: bigint;
  private occupied = 0;
  private next: bigint;

  constructor(record: SubnetRecord) {
    this.cidr = cidr(record.cidr);
    const usable = usableOffsets(this.cidr);
    this.first = usable.first;
    this.last = usable.last;
    if (record.range !== undefined) {
      const range = cidr(record.range);
      const start = range.value - this.cidr.value;
      const end = start + cidrSize(range) - 1n;
      if (start > this.first) this.first = start;
      if (end < this.last) this.last = end;
    }
    this.next = this.first;
  }

  /** Addresses that can be held at all, dynamic or not. */
  get total(): bigint {
    return usableCount(this.cidr);
  }

  /** Whether `findFree` will find one. */
  get hasFree(): boolean {
    return BigInt(this.occupied) < this.last - this.first + 1n;
  }

  contains(address: Address): boolean {
    return contains(this.cidr, address);
  }

  isDynamic(address: Address): boolean {
    if (!contains(this.cidr, address)) return false;
    const offset = offsetOf(this.cidr, address);
    return offset >= this.first && offset <= this.last;
  }

  /** Keeps count as records of dynamic addresses come (+1) and go (-1). */
  count(address: Address, change: 1 | -1): void {
    if (this.isDynamic(address)) this.occupied += change;
  }

  /** Next-fit: the first dynamic address after the last one given out that has no record. Only if `hasFree`. */
  findFree(isOccupied: (address: Address) => boolean): Address {
    for (let offset = this.next; ; offset = offset === this.last ? this.first : offset + 1n) {
      const address = addressAt(this.cidr, offset);
      if (!isOccupied(address)) return address;
    }
  }

  /** The search goes on after this address. */
  advancePast(address: Address): void {
    if (!this.isDynamic(address)) return;
    const offset = offsetOf(this.cidr, address);
    this.next = offset === this.last ? this.first : offset + 1n;
  }

  withPrefix(address: Address): string {
    return formatCidr(address, this.cidr.prefixLength);
  }
}
