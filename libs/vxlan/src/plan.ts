// From what is to what should be: the changes, in an order in which they can be done, each with its reason. Knows the kernel
// only as observed.ts describes it.

import { inOrder, type Change } from './change';
import { type Desired, type DesiredNexthop } from './desired';
import { planUnderlay } from './members';
import { type Observed, type ObservedNexthop } from './observed';
import { planNetwork } from './plan-network';
import { planSandboxes } from './plan-sandbox';

/** Empty exactly if the kernel holds what it should. Namespaces that `observed` lists and `desired` does not are removed. */
export function plan(desired: Desired, observed: Observed): Change[] {
  const changes: Change[] = [];
  const fresh = planNexthops(desired.nexthops, observed.nexthops, changes);
  for (const [netns, network] of desired.networks) {
    planNetwork(network, observed.networks.get(netns) ?? null, fresh, changes);
  }
  planUnderlay(desired.underlay, observed.underlay ?? null, changes);
  planSandboxes(desired, observed, changes);
  for (const netns of observed.networks.keys()) {
    if (desired.networks.has(netns)) continue;
    changes.push({ kind: 'namespace', action: 'remove', netns, reason: 'no network here uses it' });
  }
  return inOrder(changes);
}

/** Adds what next hops need; answers the groups that are made anew, whose rows therefore are gone. */
function planNexthops(
  desired: readonly DesiredNexthop[],
  observed: readonly ObservedNexthop[],
  changes: Change[],
): ReadonlySet<number> {
  const found = new Map(observed.map((nexthop) => [nexthop.id, nexthop]));
  const wanted = new Set<number>();
  const fresh = new Set<number>();
  for (const { hostId, id, group, via } of desired) {
    wanted.add(id).add(group);
    const reason = nexthopReason(hostId, { id, via }, found.get(id), found.get(group));
    if (reason === null) continue;
    if (!found.has(group)) fresh.add(group);
    changes.push({ kind: 'nexthop', action: 'put', id, group, via, reason });
  }
  for (const { id } of observed) {
    if (wanted.has(id)) continue;
    changes.push({ kind: 'nexthop', action: 'remove', id, reason: 'no host here uses it' });
  }
  return fresh;
}

function nexthopReason(
  hostId: string,
  wanted: { readonly id: number; readonly via: string },
  nexthop: ObservedNexthop | undefined,
  group: ObservedNexthop | undefined,
): string | null {
  if (nexthop === undefined) return `next hop of ${hostId} missing`;
  if (nexthop.via !== wanted.via) {
    return `next hop of ${hostId} via ${wanted.via} wanted, ${nexthop.via ?? 'a group'} found`;
  }
  const members = group?.members;
  if (members === undefined) return `next-hop group of ${hostId} missing`;
  if (members.length === 1 && members[0] === wanted.id) return null;
  return `next-hop group of ${hostId} with member ${wanted.id} wanted, ${members.join(' ')} found`;
}
