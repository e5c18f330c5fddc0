// From what is to what should be: the changes, in an order in which they can be done, each with its reason. Knows the kernel
// only as observed.ts describes it.

import { inOrder, type Change } from './change';
import { type Desired } from './desired';
import { planUnderlay } from './members';
import { type Observed } from './observed';
import { planNetwork } from './plan-network';
import { planSandboxes } from './plan-sandbox';

/** Empty exactly if the kernel holds what it should. Namespaces that `observed` lists and `desired` does not are removed. */
export function plan(desired: Desired, observed: Observed): Change[] {
  const changes: Change[] = [];
  for (const [netns, network] of desired.networks) {
    planNetwork(network, observed.networks.get(netns) ?? null, changes);
  }
  planUnderlay(desired.underlay, observed.underlay ?? null, changes);
  planSandboxes(desired, observed, changes);
  for (const netns of observed.networks.keys()) {
    if (desired.networks.has(netns)) continue;
    changes.push({ kind: 'namespace', action: 'remove', netns, reason: 'no network here uses it' });
  }
  return inOrder(changes);
}
