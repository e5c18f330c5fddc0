// In which order a round goes over its ways. The two that are compared are neighbors in time, so that what else the machine does
// meets both; which of them is first, and where the others come, is chance.

import { shuffle, type RandomSource } from '@skein/swim';

export interface Turns<Way> {
  readonly compared: readonly Way[];
  /** How often they are. */
  readonly pairs: number;
  /** Once each. */
  readonly others: readonly Way[];
}

export function turnsOf<Way>(random: RandomSource, { compared, pairs, others }: Turns<Way>): Way[] {
  const groups = [
    ...Array.from({ length: pairs }, () => inAnyOrder(random, compared)),
    ...others.map((other) => [other]),
  ];
  return inAnyOrder(random, groups).flat();
}

export function inAnyOrder<Item>(random: RandomSource, items: readonly Item[]): Item[] {
  const ordered = [...items];
  shuffle(random, ordered);
  return ordered;
}
