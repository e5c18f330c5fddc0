// Conversations with `registry`: networks and endpoints, and the readable history.

import { z } from 'zod';
import { defineContract } from './contract';
import {
  addressSchema,
  idSchema,
  labelsSchema,
  macSchema,
  nameSchema,
  referenceSchema,
  revisionSchema,
  timeSchema,
} from './names';
import { requestKeySchema } from './idempotency';
import { page, pageReply } from './page';
import { ifRevisionsSchema } from './precondition';
import { endpointRecordSchema, networkRecordSchema, sandboxSchema } from './state';
import { familySchema, maxBatch } from './ipam';

const service = 'registry';

// Networks

export const networkViewSchema = networkRecordSchema.extend({
  revision: revisionSchema,
  endpoints: z.int(),
  /** Ids of the hosts that take part. */
  hosts: z.array(idSchema),
});
export type NetworkView = z.output<typeof networkViewSchema>;

export const listNetworksContract = defineContract({
  service,
  verb: 'list-networks',
  description: 'Lists networks.',
  request: z.strictObject(page),
  reply: z.object({ networks: z.array(networkViewSchema), ...pageReply }),
  idempotent: true,
});
export const getNetworkContract = defineContract({
  service,
  verb: 'get-network',
  description: 'One network, by name or id. Answers from a state no older than `atLeast`.',
  request: z.strictObject({ network: referenceSchema, atLeast: revisionSchema.optional() }),
  reply: networkViewSchema,
  idempotent: true,
});

// Endpoints

export const endpointSpecSchema = z.strictObject({
  host: referenceSchema,
  /** None: derived from the endpoint's id. */
  name: nameSchema.optional(),
  aliases: z.array(nameSchema).max(16).optional(),
  service: nameSchema.optional(),
  addresses: z.array(addressSchema).max(8).optional(),
  /** Only these families of the network get an address of its choice; default: all that no static address is of. */
  families: z.array(familySchema).min(1).max(2).optional(),
  mac: macSchema.optional(),
  sandbox: sandboxSchema.optional(),
  labels: labelsSchema.optional(),
});
export type EndpointSpec = z.output<typeof endpointSpecSchema>;

export const endpointViewSchema = endpointRecordSchema.extend({
  network: nameSchema,
  /** `suspended` while its host is down. */
  state: z.enum(['live', 'suspended']),
  revision: revisionSchema,
});
export type EndpointView = z.output<typeof endpointViewSchema>;

export const createEndpointsContract = defineContract({
  service,
  verb: 'create-endpoints',
  description:
    'Attaches endpoints, all or nothing: addresses, names, then every live host of the network programs them. Answers when they have, or after `waitMs`, naming who is behind.',
  request: z.strictObject({
    network: referenceSchema,
    endpoints: z.array(endpointSpecSchema).min(1).max(maxBatch),
    waitMs: z.int().min(0).max(30_000).default(3_000),
  }),
  reply: z.object({
    endpoints: z.array(endpointViewSchema),
    revision: revisionSchema,
    /** Hosts that had not programmed the revision in time. */
    behind: z.array(idSchema),
    /** Endpoints whose own host could not plug them in. */
    faults: z.array(z.object({ endpointId: idSchema, code: z.string(), message: z.string() })),
  }),
  idempotent: false,
  timeoutMs: 15_000,
});
const errorBodySchema = z.object({
  code: z.string(),
  message: z.string(),
  field: z.string().optional(),
  facts: z.record(z.string(), z.unknown()).optional(),
});

/** Of one endpoint among others: attached, or refused on its own account. */
export const attachedEachSchema = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    endpoint: endpointViewSchema,
    /** It was attached by an earlier request with the same key. */
    isReplayed: z.literal(true).optional(),
    /** Its own host could not plug it in. */
    faults: z.array(z.object({ endpointId: idSchema, code: z.string(), message: z.string() })),
  }),
  z.object({ ok: z.literal(false), error: errorBodySchema }),
]);
export type AttachedEach = z.output<typeof attachedEachSchema>;

export const createEndpointsEachContract = defineContract({
  service,
  verb: 'create-endpoints-each',
  description:
    'Attaches endpoints of independent requests that came together, each on its own account. Answers for all when every live host of the network has programmed them, or after `waitMs`, naming who is behind.',
  request: z.strictObject({
    network: referenceSchema,
    attaches: z
      .array(
        z.strictObject({
          endpoint: endpointSpecSchema,
          request: z.string().min(1).max(128),
          /** Attached at most once, whoever asks for it how often: a repetition is given what the first one made. */
          once: requestKeySchema.optional(),
        }),
      )
      .min(1)
      .max(maxBatch),
    waitMs: z.int().min(0).max(30_000).default(3_000),
  }),
  reply: z.object({ attached: z.array(attachedEachSchema), behind: z.array(idSchema) }),
  idempotent: false,
  timeoutMs: 15_000,
});
export const deleteEndpointContract = defineContract({
  service,
  verb: 'delete-endpoint',
  description: 'Detaches an endpoint and releases its addresses.',
  request: z.strictObject({
    network: referenceSchema,
    endpoint: referenceSchema,
    waitMs: z.int().min(0).max(30_000).default(3_000),
    ifRevisions: ifRevisionsSchema,
  }),
  reply: z.object({ revision: revisionSchema, behind: z.array(idSchema) }),
  idempotent: false,
  timeoutMs: 15_000,
});
export const listEndpointsContract = defineContract({
  service,
  verb: 'list-endpoints',
  description: 'Lists the endpoints of a network.',
  request: z.strictObject({ network: referenceSchema, ...page }),
  reply: z.object({ endpoints: z.array(endpointViewSchema), ...pageReply }),
  idempotent: true,
});
export const getEndpointContract = defineContract({
  service,
  verb: 'get-endpoint',
  description: 'One endpoint, by name or id.',
  request: z.strictObject({ network: referenceSchema, endpoint: referenceSchema }),
  reply: endpointViewSchema,
  idempotent: true,
});

// History

export const holdingSchema = z.object({
  address: addressSchema,
  networkId: idSchema,
  network: z.string(),
  kind: z.enum(['endpoint', 'gateway', 'reserved']),
  endpointId: z.string().nullable(),
  endpointName: z.string().nullable(),
  host: z.string().nullable(),
  request: z.string(),
  since: timeSchema,
  sinceRevision: revisionSchema,
  /** Absent while it is held. */
  until: timeSchema.optional(),
  untilRevision: revisionSchema.optional(),
});
export type Holding = z.output<typeof holdingSchema>;

export const addressHistoryContract = defineContract({
  service,
  verb: 'address-history',
  description:
    'Who holds an address, now or at an earlier time or revision, and who held it before.',
  request: z.strictObject({
    address: addressSchema,
    network: referenceSchema.optional(),
    /** Milliseconds since the epoch. At most one of the two. */
    atTime: timeSchema.optional(),
    atRevision: revisionSchema.optional(),
  }),
  reply: z.object({
    address: addressSchema,
    revision: revisionSchema,
    /** One a network in which the address is (or was, at that time) held. */
    holders: z.array(holdingSchema),
    past: z.array(holdingSchema),
  }),
  idempotent: true,
});

export const historyEventSchema = z.object({
  revision: revisionSchema,
  /** Position among the events of one revision. */
  position: z.int(),
  at: timeSchema,
  /** `network.created`, `endpoint.attached`, `host.down`, … */
  type: z.string(),
  subject: z.string(),
  body: z.record(z.string(), z.unknown()),
});
export type HistoryEvent = z.output<typeof historyEventSchema>;

export const eventsContract = defineContract({
  service,
  verb: 'events',
  description: 'Past events from a revision on.',
  request: z.strictObject({
    from: revisionSchema,
    /** Of the event's type: `host.` takes all of hosts. */
    prefix: z.string().max(64).optional(),
    limit: z.int().min(1).max(1_000).default(100),
  }),
  reply: z.object({ events: z.array(historyEventSchema), revision: revisionSchema }),
  idempotent: true,
});

export const explainStepSchema = z.object({
  step: z.string(),
  ok: z.boolean(),
  detail: z.string(),
  facts: z.record(z.string(), z.unknown()),
});
export const explainContract = defineContract({
  service,
  verb: 'explain',
  description:
    'Each step of the way from one endpoint to another: what is committed and what is programmed.',
  request: z.strictObject({ network: referenceSchema, from: referenceSchema, to: referenceSchema }),
  reply: z.object({
    revision: revisionSchema,
    ok: z.boolean(),
    /** Place of the first step that is wrong, from 0: those after it may only follow from it. */
    firstWrong: z.int().optional(),
    steps: z.array(explainStepSchema),
  }),
  idempotent: true,
  timeoutMs: 8_000,
});
