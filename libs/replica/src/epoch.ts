// Epochs of a cluster: each recovery begins one, above all that are known. It must not know where chance comes from.

/** Of an epoch's 32 bits, those that chance chooses; the others count recoveries. */
const chanceBits = 20;
const maxCount = 2 ** (32 - chanceBits) - 1;
/** What `nextEpoch` takes as chance is below this. */
export const epochChances = 2 ** chanceBits;

/**
 * Above `highest`, and another than that of a replica that recovers at the same time without knowing of this one: of two members that
 * each lead a cluster of their own the lower epoch then falls silent, instead of both taking the other's word. `chance` is drawn
 * once a recovery, 0 ≤ chance < `epochChances`.
 */
export function nextEpoch(highest: number, chance: number): number {
  const count = Math.floor(highest / epochChances) + 1;
  if (count > maxCount) throw new RangeError(`a cluster is recovered ${maxCount} times at most`);
  return count * epochChances + chance;
}
