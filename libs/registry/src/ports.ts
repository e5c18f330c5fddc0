// What the registry's domain asks of the world beside the store: addresses from ipam, time, chance. Real ones are made in the
// module, others in tests.

import type { allocateContract, AllocationRequest, Compare, ReplyOf } from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';

export interface AddressBook {
  allocate(
    networkId: string,
    requests: AllocationRequest[],
    context: RequestContext,
  ): Promise<ReplyOf<typeof allocateContract>>;
  /** Idempotent. Answers how many addresses it took back. */
  release(networkId: string, endpointIds: string[], context?: RequestContext): Promise<number>;
}

export interface Chance {
  /** Fit for keys, subjects and names: a–z 0–9. */
  id(): string;
}

/** Holds while this replica is the active one; part of every transaction. */
export type Fence = () => Compare;
