// The networks that every run has: two that keep what a lost host has, one with both address families and one of two subnets,
// small enough to fill up; and one that fences it. They are made as the address service makes them.

import { keys, SkeinError, type NetworkRecord } from '@skein/contracts';
import { planNetwork } from '@skein/ipam';
import type { Store } from '@skein/store-client';
import { elapsed, type Time } from '@skein/time';

export const networks = [
  { id: 'n1', name: 'web', cidrs: ['10.1.0.0/26', 'fd00:1::/64'], onHostLoss: 'keep' },
  { id: 'n2', name: 'data', cidrs: ['10.2.0.0/29', '10.2.1.0/29'], onHostLoss: 'keep' },
  { id: 'n3', name: 'jobs', cidrs: ['10.3.0.0/28'], onHostLoss: 'fence' },
] as const;

type NetworkPlan = (typeof networks)[number];

/** One after the other, each until it is there: its messages are lost like all others. Throws if one can't be made. */
export async function makeNetworks(store: Store, time: Time): Promise<void> {
  const vnis = new Set<number>();
  for (const network of networks) {
    await untilMade(network, { store, time, vnis });
    await elapsed(time, 100);
  }
}

async function untilMade(
  network: NetworkPlan,
  { store, time, vnis }: { store: Store; time: Time; vnis: Set<number> },
): Promise<void> {
  for (let isAgain = false; ; isAgain = true) {
    try {
      // What was not answered may be done all the same.
      const made = isAgain ? await store.get(keys.network(network.id)) : undefined;
      const record: NetworkRecord | undefined = made && JSON.parse(made.value);
      vnis.add(record?.vni ?? (await makeNetwork(store, network, vnis)));
      return;
    } catch (thrown) {
      if (!(thrown instanceof SkeinError)) throw thrown;
      await elapsed(time, 100);
    }
  }
}

/** Answers its VNI. */
async function makeNetwork(
  store: Store,
  { id, name, cidrs, onHostLoss }: NetworkPlan,
  vnis: ReadonlySet<number>,
): Promise<number> {
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
  const { compare, success } = plan.reply.transaction;
  const { succeeded } = await store.txn({ compare: [...compare], success: [...success] });
  if (!succeeded) throw new Error(`network ${id} was not made`);
  return plan.reply.reply.vni;
}
