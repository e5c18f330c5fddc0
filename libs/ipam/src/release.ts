// Taking addresses and MACs back, on a view: they rest before anybody else gets them, and their records go when they have.

import { textOf, type Evidence } from './allocate';
import { type NetworkView } from './network-view';
import { accept, refuse, type AddressRecord, type Cause, type Outcome } from './records';

export interface ReleaseContext {
  readonly cause: Cause;
  readonly fencing: number;
  /** Until when what is released rests: for people, and on the driver's monotonic clock. */
  readonly until: number;
  readonly restedAt: number;
  readonly evidence: Evidence;
}

/**
 * Takes back all that the endpoints hold; it rests. Answers how many of them held anything. Invariant (P1): no address is taken
 * back whose endpoint is attached; the commit compares that none of the endpoints exists.
 */
export function releaseAll(
  view: NetworkView,
  endpointIds: readonly string[],
  { cause, until, restedAt, fencing, evidence }: ReleaseContext,
): Outcome<number> {
  let released = 0;
  for (const [index, endpointId] of endpointIds.entries()) {
    const held = view.heldByEndpoint(endpointId);
    if (held.length === 0) continue;
    const isAttached = view.isAttached(endpointId);
    evidence.attached(endpointId, isAttached);
    if (isAttached) {
      const facts = { endpointId, addresses: held.map(textOf) };
      const message = `endpoint ${endpointId} is attached: detach it to release its addresses`;
      return refuse('endpoint_attached', message, { field: `endpointIds.${index}`, facts });
    }
    released += 1;
    for (const sortable of held) {
      const { record } = view.entry(sortable) as { record: AddressRecord };
      view.write(sortable, { ...record, state: 'resting', until, fencing, cause }, { restedAt });
    }
    const mac = view.macKeptFor(endpointId);
    if (mac !== undefined) view.writeMac(mac, null);
  }
  return accept(released);
}

/** Drops the records of addresses that have rested enough, at most `limit` of them. Answers how many. */
export function sweepRested(
  view: NetworkView,
  { monotonicMs, limit }: { monotonicMs: number; limit: number },
): number {
  const rested: string[] = [];
  for (const [sortable, restedAt] of view.resting()) {
    if (restedAt > monotonicMs || rested.length >= limit) break;
    rested.push(sortable);
  }
  for (const sortable of rested) view.write(sortable, null);
  return rested.length;
}
