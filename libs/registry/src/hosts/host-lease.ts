// How long a host's lease lasts, and how much longer a registry waits before it gives away what a host without one held. Only
// numbers: the agent counts the lease, the kernel ends it.

/**
 * Long enough for a registry to be replaced (its activation's 2.5 s, a look every 0.3 s, a heartbeat every 0.5 s) without any
 * host losing its lease; short enough that what a dead host held can move within seconds.
 */
export const defaultHostLeaseMs = 5_000;

/** Guards end at a whole second, and clocks differ in speed. */
export const fenceMarginMs = 2_000;
