// The port of chance, its seeded source, and the draws that the protocol makes. Never reads anything but its source.

/** Uniform in [0, 1). */
export type RandomSource = () => number;

/** A reproducible source: SplitMix32 over a 32-bit seed. Not for secrets. */
export function seededRandom(seed: number): RandomSource {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 0x1_0000_0000;
  };
}

/** An integer from 0 to `bound` − 1. */
export function drawBelow(random: RandomSource, bound: number): number {
  return Math.floor(random() * bound);
}

/** Reorders in place, each order equally likely. */
export function shuffle<Item>(random: RandomSource, items: Item[]): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = drawBelow(random, last + 1);
    const kept = items[last] as Item;
    items[last] = items[other] as Item;
    items[other] = kept;
  }
}

/** Up to `count` distinct items; the input is left as it is. */
export function drawSome<Item>(
  random: RandomSource,
  items: readonly Item[],
  count: number,
): Item[] {
  // The first steps of a shuffle of which only the places that were touched are kept.
  const touched = new Map<number, Item>();
  const at = (index: number): Item => touched.get(index) ?? (items[index] as Item);
  const drawn: Item[] = [];
  while (drawn.length < count && drawn.length < items.length) {
    const index = drawn.length;
    const other = index + drawBelow(random, items.length - index);
    drawn.push(at(other));
    touched.set(other, at(index));
  }
  return drawn;
}
