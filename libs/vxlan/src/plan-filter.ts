// The part of a plan that keeps foreign senders out of a network: which port may send from which MAC and address.

import type { ChangeStep } from './change';
import type { Desired, DesiredNetwork } from './desired';
import type { ObservedNetwork } from './observed';
import { sourceKey } from './sources';

type Add = (step: ChangeStep, reason: string, follows: boolean) => void;

export function planFilter(
  { netns, mtu, sources }: DesiredNetwork,
  { filter }: ObservedNetwork,
  isNew: boolean,
  add: Add,
): void {
  if (sources === undefined) return;
  const fault =
    filter === undefined
      ? 'filter of sources missing'
      : filter.mtu === null
        ? 'filter of sources is not whole'
        : filter.mtu === mtu
          ? null
          : `filter for mtu ${mtu} wanted, ${filter.mtu} found`;
  if (filter === undefined || fault !== null) {
    const all = [...sources.values()];
    add({ kind: 'filter', action: 'put', netns, mtu, sources: all }, fault ?? '', isNew);
    return;
  }
  for (const [key, source] of sources) {
    if (filter.sources.has(key)) continue;
    add({ kind: 'source', action: 'put', netns, source }, 'not let in', false);
  }
  for (const [key, source] of filter.sources) {
    if (sources.has(key)) continue;
    const reason = 'no endpoint here sends from it';
    add({ kind: 'source', action: 'remove', netns, source }, reason, false);
  }
}

/**
 * The same without whom it hears: then a plan leaves filters as they are. Those of fresh namespaces stay, since no port may come
 * up without.
 */
export function withoutFilters(
  { vteps, networks }: Desired,
  isFresh: (netns: string) => boolean = () => false,
): Desired {
  const seen = [...networks].map(([netns, network]) => {
    const { sources: _, ...bare } = network;
    return [netns, isFresh(netns) ? network : bare] as const;
  });
  return { vteps, networks: new Map(seen) };
}

/** By key, as plans compare them. */
export function bySourceKey<Source extends Parameters<typeof sourceKey>[0]>(
  sources: Iterable<Source>,
): Map<string, Source> {
  return new Map([...sources].map((source) => [sourceKey(source), source]));
}
