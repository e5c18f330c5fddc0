// What hosts find when they try the ways to each other inside the overlay, and the matrix that the registry makes of it.

import { z } from 'zod';
import { defineContract } from './contract';
import { idSchema, nameSchema, revisionSchema } from './names';

/**
 * `ok`: frames as large as the overlay carries get there and back. `damaged`: they come changed. `small`: only small ones do, so
 * the underlay carries less than it says. `none`: nothing does.
 */
export const reachabilityStateSchema = z.enum(['ok', 'damaged', 'small', 'none']);
export type ReachabilityState = z.output<typeof reachabilityStateSchema>;

/** Of one host, about another: the worst of the networks that both take part in. */
export const reachabilitySchema = z.object({
  host: idSchema,
  network: idSchema,
  state: reachabilityStateSchema,
  /** There and back, smoothed. Absent: nothing came back yet. */
  rttMs: z.number().min(0).optional(),
  /** With `small`: the largest MTU that was seen to get there and back. Absent: not measured yet. */
  mtu: z.int().optional(),
});
export type Reachability = z.output<typeof reachabilitySchema>;

/** A way of one network to another host, as the host on this end last found it. */
export const triedWaySchema = z.object({
  networkId: idSchema,
  host: idSchema,
  /** Null: not tried often enough to say. */
  state: reachabilityStateSchema.nullable(),
  /** MTU of the overlay that it is tried with: the largest frames are as large as that. */
  mtu: z.int(),
  /** With `small`: the largest MTU that was seen to get through. Absent: not measured yet. */
  carriesMtu: z.int().optional(),
  /** There and back, smoothed. */
  rttMs: z.number().min(0).optional(),
  triedAgoMs: z.number().min(0).optional(),
  answeredAgoMs: z.number().min(0).optional(),
});
export type TriedWay = z.output<typeof triedWaySchema>;

export const reachabilityContract = defineContract({
  service: 'registry',
  verb: 'reachability',
  description: 'Which hosts reach which inside the overlay, as their agents found by trying.',
  request: z.strictObject({}),
  reply: z.object({
    revision: revisionSchema,
    hosts: z.array(z.object({ id: idSchema, name: nameSchema, state: z.enum(['up', 'down']) })),
    /** Only pairs that share a network, and of which something is known. */
    pairs: z.array(
      reachabilitySchema.omit({ host: true, network: true }).extend({
        from: idSchema,
        to: idSchema,
        network: nameSchema,
      }),
    ),
  }),
  idempotent: true,
});
