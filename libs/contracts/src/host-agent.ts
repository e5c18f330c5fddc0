// Conversations with one host's agent, each on a subject of that host's own.

import { z } from 'zod';
import { defineContract } from './contract';
import { idSchema, revisionSchema } from './names';
import { triedWaySchema } from './reachability';
import { digestSchema, shareDeltaSchema, shareSchema } from './share';

const service = 'host-agent';

/** Of the registry's activation: an agent refuses a push of an older one than it has heard of. */
const fencing = revisionSchema.optional();

/**
 * The registry's push. Answered after the kernel has been programmed; the reply is the acknowledgement. A delta fits only
 * an agent whose programmed revision is `base`; another one answers `snapshotWanted` and changes nothing.
 */
export const programContract = defineContract({
  service,
  verb: 'program',
  description: 'Programs the share of the committed state that concerns this host.',
  request: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('snapshot'),
      fencing,
      revision: revisionSchema,
      digest: digestSchema,
      share: shareSchema,
    }),
    z.strictObject({
      kind: z.literal('delta'),
      fencing,
      base: revisionSchema,
      revision: revisionSchema,
      /** Of the share after the delta. */
      digest: digestSchema,
      delta: shareDeltaSchema,
    }),
  ]),
  reply: z.object({
    host: idSchema,
    bootId: z.string(),
    programmed: revisionSchema,
    digest: digestSchema,
    snapshotWanted: z.boolean(),
    /** Endpoints of this host that could not be plugged in: the rest is programmed. */
    faults: z.array(z.object({ endpointId: idSchema, code: z.string(), message: z.string() })),
  }),
  idempotent: true,
  perInstance: true,
  /** Some fifteen thousand endpoints in one snapshot. */
  maxBodyBytes: 4 * 1_048_576,
});

export const rowSchema = z.object({
  networkId: idSchema,
  kind: z.enum(['fdb', 'neighbor', 'link']),
  key: z.string(),
  value: z.string(),
});

export const agentStatusContract = defineContract({
  service,
  verb: 'status',
  description:
    'What this host has programmed: revision, networks, rows as the kernel shows them, and repairs so far.',
  request: z.strictObject({
    network: z.string().max(64).optional(),
    rows: z.boolean().default(false),
  }),
  reply: z.object({
    host: idSchema,
    bootId: z.string(),
    programmed: revisionSchema,
    digest: digestSchema,
    networks: z.array(
      z.object({ id: idSchema, name: z.string(), netns: z.string(), endpoints: z.int() }),
    ),
    /** Changes that the reconcile loop made because the kernel had drifted, by kind. */
    repairs: z.record(z.string(), z.int()),
    /** What its gossip thinks of everyone, itself included. */
    members: z.array(
      z.object({
        host: z.string(),
        state: z.string(),
        incarnation: z.int(),
        /** From its own probes, smoothed; absent before the first that was answered directly. */
        rttMs: z.number().optional(),
        rttVarianceMs: z.number().optional(),
        udpBlocked: z.literal(true).optional(),
      }),
    ),
    /** How far its gossip distrusts itself: 0 is healthy. */
    localHealth: z.int().optional(),
    rows: z.array(rowSchema).optional(),
    /** With rows: the ways to other hosts as it last found them. */
    ways: z.array(triedWaySchema).optional(),
    /** With rows: frames that filters kept out since they were made, by network, and those of hosts without a part in any. */
    dropped: z.object({ networks: z.record(z.string(), z.int()), strangers: z.int() }).optional(),
  }),
  idempotent: true,
  perInstance: true,
});
