// What passes between hosts inside the overlay: counted where it arrives, by network and sending host.

import { z } from 'zod';
import { defineContract } from './contract';
import { idSchema, revisionSchema } from './names';

const countersSchema = z.object({
  /** Since the receiving host let the sending one in; agents' probes are among them. */
  frames: z.int(),
  /** On the underlay: with the headers that the overlay adds. */
  bytes: z.int(),
});

export const agentTrafficContract = defineContract({
  service: 'host-agent',
  verb: 'traffic',
  description:
    'What came from each host that takes part in a network here. Read from the kernel when asked.',
  request: z.strictObject({}),
  reply: z.object({
    host: idSchema,
    from: z.array(countersSchema.extend({ host: idSchema, networkId: idSchema })),
  }),
  idempotent: true,
  perInstance: true,
});

export const trafficContract = defineContract({
  service: 'registry',
  verb: 'traffic',
  description: 'What passes between hosts inside the overlay, as those that receive it count it.',
  request: z.strictObject({}),
  reply: z.object({
    revision: revisionSchema,
    /** Hosts that are up and did not answer in time: what came to them is not known. */
    silent: z.array(idSchema),
    ways: z.array(
      countersSchema.extend({
        from: idSchema,
        to: idSchema,
        networkId: idSchema,
        /** When it was read, in milliseconds on the receiving side of this answer: rates follow from two of them. */
        at: z.number(),
      }),
    ),
  }),
  idempotent: true,
  timeoutMs: 4_000,
});
export type Traffic = z.output<typeof trafficContract.reply>;
