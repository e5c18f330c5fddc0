// The part of a plan that keeps foreign senders out of a network: which port may send from which MAC and addresses.

import type { ChangeStep } from './change';
import type { Desired, DesiredNetwork } from './desired';
import type { ObservedNetwork } from './observed';
import { isSameSource } from './sources';

type Add = (step: ChangeStep, reason: string, follows: boolean) => void;

/** Of the ports that are there: what may come out of a new one comes with it. */
export function planFilter(
  { netns, mtu, sources, trustsFilter }: DesiredNetwork,
  { filter, veths }: ObservedNetwork,
  isNew: boolean,
  add: Add,
): void {
  if (sources === undefined || trustsFilter === true) return;
  const fault = filterFault(filter, mtu);
  if (fault !== null) add({ kind: 'filter', action: 'put', netns, mtu }, fault, isNew);
  for (const [port, source] of sources) {
    const known = filter?.sources.get(port);
    if (!veths.has(port) || (known !== undefined && isSameSource(known, source))) continue;
    const reason = known === undefined ? 'nobody filters it' : 'another source was let in';
    add({ kind: 'source', action: 'put', netns, source }, reason, filter === undefined);
  }
  for (const port of filter?.sources.keys() ?? []) {
    if (sources.has(port)) continue;
    add({ kind: 'source', action: 'remove', netns, port }, 'no endpoint here uses it', false);
  }
}

function filterFault(filter: ObservedNetwork['filter'], mtu: number): string | null {
  if (filter === undefined) return 'filter of sources missing';
  if (filter.mtu === null) return 'filter of sources is not whole';
  return filter.mtu === mtu ? null : `filter for mtu ${mtu} wanted, ${filter.mtu} found`;
}

/**
 * The same for who does not look at filters: a plan leaves those that are there as they are. Fresh namespaces and new ports get
 * theirs, since no port may come up without.
 */
export function trustingFilters(
  { vteps, networks }: Desired,
  isFresh: (netns: string) => boolean = () => false,
): Desired {
  const seen = [...networks].map(([netns, network]) => {
    const trusting = { ...network, trustsFilter: true } as const;
    return [netns, isFresh(netns) ? network : trusting] as const;
  });
  return { vteps, networks: new Map(seen) };
}
