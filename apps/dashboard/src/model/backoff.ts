// How long to wait before the gateway is tried again: doubling, with a part by chance so that pages that lost it together do
// not come back together. Chance is given.

const firstMs = 400;
const mostMs = 8_000;

/** `attempt` counts from 0; `chance` is from 0 to 1. */
export function backoffMs(attempt: number, chance: number): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 10));
  return Math.round(full * (0.5 + chance / 2));
}
