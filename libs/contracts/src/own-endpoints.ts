// Conversations of a host with `registry` about what is its own: the networks that it may attach to, and the endpoints that a
// container engine on it holds. A host speaks for itself alone here; its credential lets it say nothing else.

import { z } from 'zod';
import { defineContract } from './contract';
import { networkSpecSchema } from './ipam';
import {
  addressSchema,
  idSchema,
  labelsSchema,
  macSchema,
  nameSchema,
  referenceSchema,
  revisionSchema,
} from './names';
import { endpointViewSchema } from './registry';
import { engineSchema, networkRecordSchema, sandboxSchema, subnetRecordSchema } from './state';

const service = 'registry';
const speaker = 'host';
const waitMs = z.int().min(0).max(8_000).default(3_000);

/** What a host may know of a network before it takes part in it: how it is called and numbered, and nobody on it (P5). */
export const enrolledNetworkSchema = z.object({
  id: idSchema,
  name: nameSchema,
  subnets: z.array(subnetRecordSchema),
  internal: z.boolean(),
  labels: labelsSchema,
});
export type EnrolledNetwork = z.output<typeof enrolledNetworkSchema>;

export const enrolmentContract = defineContract({
  service,
  verb: 'enrolment',
  description: 'The attachable networks that this host may take part in, by its labels.',
  request: z.strictObject({ host: idSchema }),
  speaker,
  reply: z.object({
    networks: z.array(enrolledNetworkSchema),
    /** Differs once the networks do; heartbeats name the one that is known. */
    mark: z.string(),
  }),
  idempotent: true,
});

export const attachOwnContract = defineContract({
  service,
  verb: 'attach-own',
  description:
    'Attaches an endpoint of the asking host under an id of its choice. Asked again with that id it answers the same endpoint.',
  request: z.strictObject({
    host: idSchema,
    network: referenceSchema,
    endpointId: idSchema,
    engine: engineSchema,
    name: nameSchema.optional(),
    addresses: z.array(addressSchema).max(8).optional(),
    families: z
      .array(z.enum(['ipv4', 'ipv6']))
      .min(1)
      .max(2)
      .optional(),
    mac: macSchema.optional(),
    labels: labelsSchema.optional(),
    waitMs,
  }),
  speaker,
  reply: z.object({
    endpoint: endpointViewSchema,
    /** Hosts that had not programmed it in time. */
    behind: z.array(idSchema),
    faults: z.array(z.object({ endpointId: idSchema, code: z.string(), message: z.string() })),
  }),
  idempotent: true,
  timeoutMs: 8_000,
});

export const describeOwnContract = defineContract({
  service,
  verb: 'describe-own',
  description:
    'Tells what is known of an own endpoint since it was attached: names, labels, sandbox. Names that others have are left out and told.',
  request: z.strictObject({
    host: idSchema,
    network: referenceSchema,
    endpointId: idSchema,
    name: nameSchema.optional(),
    aliases: z.array(nameSchema).max(16).optional(),
    service: nameSchema.optional(),
    labels: labelsSchema.optional(),
    sandbox: sandboxSchema.optional(),
  }),
  speaker,
  reply: z.object({
    endpoint: endpointViewSchema,
    /** Names that other endpoints of the network have. */
    taken: z.array(z.object({ name: nameSchema, endpointId: idSchema })),
    revision: revisionSchema,
  }),
  idempotent: true,
});

export const detachOwnContract = defineContract({
  service,
  verb: 'detach-own',
  description:
    'Detaches an own endpoint and releases its addresses; one that is not there is none to detach.',
  request: z.strictObject({
    host: idSchema,
    network: referenceSchema,
    endpointId: idSchema,
    waitMs,
  }),
  speaker,
  reply: z.object({ wasAttached: z.boolean(), revision: revisionSchema }),
  idempotent: true,
  timeoutMs: 8_000,
});

export const declareNetworkContract = defineContract({
  service,
  verb: 'declare-network',
  description:
    'Makes a network that a container engine of the asking host was told of; one of this name with these subnets is answered as it is.',
  request: z.strictObject({ host: idSchema, network: networkSpecSchema }),
  speaker,
  reply: z.object({ network: networkRecordSchema }),
  idempotent: true,
});
