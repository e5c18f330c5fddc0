// How long a host that comes and goes is kept down: longer each time, until it has stayed up. Pure arithmetic over counts
// and durations.

export interface FlapLimits {
  /** Downs that cost nothing: a restart, and another one. */
  readonly freeDowns: number;
  readonly firstHoldBackMs: number;
  readonly longestHoldBackMs: number;
  /** Each such time up in one piece forgives one down. */
  readonly forgiveMs: number;
}

export const defaultFlapLimits: FlapLimits = {
  freeDowns: 3,
  firstHoldBackMs: 2_000,
  longestHoldBackMs: 60_000,
  forgiveMs: 60_000,
};

/** The count after one more down, of a host that had been up for `upForMs`. */
export function flapsAfterDown(
  flaps: number,
  upForMs: number,
  { forgiveMs }: FlapLimits = defaultFlapLimits,
): number {
  return Math.max(0, flaps - Math.floor(Math.max(0, upForMs) / forgiveMs)) + 1;
}

/** How long a host that has gone down so often stays down at least. */
export function holdBackMs(flaps: number, limits: FlapLimits = defaultFlapLimits): number {
  const counted = flaps - limits.freeDowns;
  if (counted <= 0) return 0;
  return Math.min(limits.longestHoldBackMs, limits.firstHoldBackMs * 2 ** (counted - 1));
}
