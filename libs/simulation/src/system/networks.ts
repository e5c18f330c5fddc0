// The networks that every run has: two that keep what a lost host has, one with both address families and one of two subnets,
// small enough to fill up; and one that fences it. They are made as the address service makes them.

import { keys } from '@skein/contracts';
import { planNetwork } from '@skein/ipam';
import type { Store } from '@skein/store-client';
import { elapsed, type Time } from '@skein/time';

export const networks = [
  { id: 'n1', name: 'web', cidrs: ['10.1.0.0/26', 'fd00:1::/64'], onHostLoss: 'keep' },
  { id: 'n2', name: 'data', cidrs: ['10.2.0.0/29', '10.2.1.0/29'], onHostLoss: 'keep' },
  { id: 'n3', name: 'jobs', cidrs: ['10.3.0.0/28'], onHostLoss: 'fence' },
] as const;

/** One after the other. Throws if one can't be made. */
export async function makeNetworks(store: Store, time: Time): Promise<void> {
  const vnis = new Set<number>();
  for (const { id, name, cidrs, onHostLoss } of networks) {
    const held = await store.get(keys.subnetTable);
    const record = held === undefined ? { subnets: [] } : JSON.parse(held.value);
    const modRevision = held?.modRevision ?? 0;
    const nameOf = (known: string): string => known;
    const directory = { table: { record, modRevision }, vnis, nameOf };
    const plan = planNetwork({ id, name, subnets: cidrs.map((cidr) => ({ cidr })) }, directory, {
      keys,
      pools: { pools: [], excluded: [] },
      cause: { request: 'create', at: 0 },
      complete: (part) => ({
        ...part,
        attachable: true,
        internal: false,
        multicast: false,
        encrypted: false,
        onHostLoss,
        labels: {},
        created: { request: 'create', at: 0 },
      }),
    });
    if (!plan.ok) throw new Error(plan.refusal.message);
    vnis.add(plan.reply.reply.vni);
    const { compare, success } = plan.reply.transaction;
    const { succeeded } = await store.txn({ compare: [...compare], success: [...success] });
    if (!succeeded) throw new Error(`network ${id} was not made`);
    await elapsed(time, 100);
  }
}
