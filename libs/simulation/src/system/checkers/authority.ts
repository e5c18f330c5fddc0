// P2: the committed state is the only authority. No row that was never committed, no answer for a revision that the kernel does not
// hold, no step back behind what this life of the agent has programmed. It must not know how shares travel.

import { plan, desiredOf, keyOf, vxlanName, type Change } from '@skein/vxlan';
import type { CommittedHistory } from '../committed';
import type { Host } from '../host';
import { netnsPrefix } from '../host';
import type { Violations } from '../violations';

export class Authority {
  repairs: Record<string, number> = {};
  private readonly programmed = new Map<string, { life: number; revision: number }>();

  constructor(
    private readonly violations: Violations,
    private readonly committed: CommittedHistory,
  ) {}

  kernelChanged(host: Host, change: Change | null): void {
    if (change === null || change.kind !== 'neighbor' || change.action !== 'put') return;
    const networkId = this.committed.networkIdOf(change.netns, netnsPrefix);
    const { address, mac } = change;
    if (networkId !== undefined && this.committed.hasHadRow(networkId, address, mac)) return;
    this.violations.report('P2', `${host.id} writes ${address} ${mac}, which nobody committed`);
  }

  /** The agent has answered that it holds this revision. */
  acknowledged(host: Host, reply: { programmed: number; digest: string }, isHarmed: boolean): void {
    const { programmed: revision, digest } = reply;
    if (revision === 0) return;
    const committed = this.committed.shareAt(host.id, revision);
    if (committed !== undefined && committed.digest !== digest) {
      const message = `${host.id} says ${digest} at ${revision}, committed is ${committed.digest}`;
      this.violations.report('P2', message);
      return;
    }
    const last = this.programmed.get(host.id);
    const { life } = host.place;
    if (last?.life === life && revision < last.revision) {
      this.violations.report('P2', `${host.id} goes from ${last.revision} back to ${revision}`);
    }
    this.programmed.set(host.id, { life, revision });
    if (committed === undefined || isHarmed) return;
    const missing = missingRows(host, committed.share);
    if (missing.length === 0) return;
    this.violations.report('P2', `${host.id} answers for ${revision} without ${missing[0]}`);
  }

  repaired(kind: string, count: number): void {
    this.repairs[kind] = (this.repairs[kind] ?? 0) + count;
  }

  /** Once everything is quiet: each kernel is what the committed state says, and nothing else. */
  differences(host: Host): string[] {
    const share = this.committed.state.shareOf(host.id);
    const desired = desiredOf(share, host.id, host.settings);
    return plan(desired, host.kernel.whole()).map((change) => `${host.id} ${keyOf(change)}`);
  }
}

/** Ways to other hosts' endpoints that the share has and the kernel has not. */
export function missingRows(host: Host, share: Parameters<typeof desiredOf>[0]): string[] {
  const desired = desiredOf(share, host.id, host.settings);
  const missing: string[] = [];
  for (const [netns, network] of desired.networks) {
    const found = host.kernel.networks.get(netns);
    if (found === undefined) {
      missing.push(netns);
      continue;
    }
    for (const [mac, { port, vtep }] of network.fdb) {
      if (port !== vxlanName) continue;
      const row = found.fdb.get(mac);
      if (row?.port !== port || row.vteps.join() !== vtep) missing.push(`${netns} row of ${mac}`);
    }
    for (const [address, mac] of network.neighbors) {
      if (found.neighbors.get(address) !== mac) missing.push(`${netns} neighbor ${address}`);
    }
  }
  return missing;
}
