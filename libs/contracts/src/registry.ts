// Conversations with `registry`: hosts, networks and endpoints, what each host has programmed, and the readable history.

import { z } from 'zod';
import { defineContract } from './contract';
import {
  addressSchema,
  cidrSchema,
  idSchema,
  labelsSchema,
  macSchema,
  nameSchema,
  referenceSchema,
  revisionSchema,
  timeSchema,
} from './names';
import { reachabilitySchema } from './reachability';
import { digestSchema } from './share';
import {
  endpointRecordSchema,
  hostRecordSchema,
  networkRecordSchema,
  sandboxSchema,
} from './state';
import { familySchema, maxBatch } from './ipam';

const service = 'registry';

const page = {
  limit: z.int().min(1).max(1_000).default(100),
  /** From the previous page's answer. */
  cursor: z.string().max(256).optional(),
};
const pageReply = { cursor: z.string().optional(), revision: revisionSchema };

// Hosts

export const hostViewSchema = hostRecordSchema.extend({
  revision: revisionSchema,
  /** Store revision that its agent last said it has programmed. */
  programmed: revisionSchema,
  networks: z.int(),
  endpoints: z.int(),
  repairs: z.int(),
  /** Ids of hosts whose datagrams do not get through to it: only its gossip's TCP answers them. */
  udpBlockedFrom: z.array(idSchema).optional(),
  /** While it is down: for how long it is still kept from coming back, because it came and went too often. */
  heldBackMs: z.int().optional(),
});
export type HostView = z.output<typeof hostViewSchema>;

export const opinionSchema = z.object({
  host: idSchema,
  state: z.enum(['alive', 'suspect', 'dead', 'left']),
  incarnation: z.int(),
  /** It answers over TCP, but no datagram gets through to it, neither directly nor by others. */
  udpBlocked: z.literal(true).optional(),
});
export type Opinion = z.output<typeof opinionSchema>;

export const registerHostContract = defineContract({
  service,
  verb: 'register-host',
  description:
    'An agent reports for duty: commits its host `up` with its boot id, answers whom to gossip with.',
  request: z.strictObject({
    id: idSchema,
    name: nameSchema,
    vtep: addressSchema,
    gossip: z.string().max(64),
    underlayMtu: z.int().min(576).max(65_535),
    bootId: z.string().min(1).max(64),
    labels: labelsSchema.default({}),
    /** Prefixes that the host routes itself, without its default route: no network is made of them. Absent: as before. */
    routes: z.array(cidrSchema).max(256).optional(),
  }),
  speaker: 'id',
  reply: z.object({
    host: hostRecordSchema,
    revision: revisionSchema,
    /** `address:port` of the SWIM members of other hosts. */
    peers: z.array(z.object({ host: idSchema, gossip: z.string() })),
  }),
  idempotent: true,
});
export const heartbeatContract = defineContract({
  service,
  verb: 'heartbeat',
  description:
    'An agent says that it lives, what it has programmed, and what its gossip thinks of the others.',
  request: z.strictObject({
    host: idSchema,
    bootId: z.string().max(64),
    programmed: revisionSchema,
    digest: digestSchema,
    repairs: z.record(z.string(), z.int()),
    opinions: z.array(opinionSchema).max(1_024),
    /** What it found by trying the ways inside the overlay; hosts of which nothing is known are left out. */
    reachability: z.array(reachabilitySchema).max(1_024).optional(),
  }),
  speaker: 'host',
  reply: z.object({
    revision: revisionSchema,
    /** True if the registry does not know this host with this boot id, or has it `down`: register again. */
    registerAgain: z.boolean(),
    /** The host's lease, counted from when this heartbeat was sent. Absent: none is granted now. */
    leaseMs: z.int().min(1).optional(),
  }),
  idempotent: true,
});
export const listHostsContract = defineContract({
  service,
  verb: 'list-hosts',
  description: 'Lists hosts.',
  request: z.strictObject(page),
  reply: z.object({ hosts: z.array(hostViewSchema), ...pageReply }),
  idempotent: true,
});
export const getHostContract = defineContract({
  service,
  verb: 'get-host',
  description: 'One host.',
  request: z.strictObject({ host: referenceSchema }),
  reply: hostViewSchema,
  idempotent: true,
});
/** What a host holds: what goes if it is removed, and what remains while it is drained. */
export const hostHoldingsSchema = z.object({
  host: idSchema,
  name: nameSchema,
  state: z.enum(['up', 'down']),
  revision: revisionSchema,
  counts: z.object({ networks: z.int(), endpoints: z.int(), addresses: z.int(), names: z.int() }),
  networks: z.array(
    z.object({
      id: idSchema,
      name: nameSchema,
      onHostLoss: z.enum(['keep', 'fence']),
      endpoints: z.int(),
    }),
  ),
  /** At most `maxListedHoldings`; `counts` has them all. */
  endpoints: z.array(
    z.object({
      id: idSchema,
      network: nameSchema,
      name: nameSchema,
      addresses: z.array(cidrSchema),
      names: z.array(nameSchema),
    }),
  ),
});
export type HostHoldings = z.output<typeof hostHoldingsSchema>;
export const maxListedHoldings = 500;

export const removeHostContract = defineContract({
  service,
  verb: 'remove-host',
  description:
    'Removes a host that is down, releasing what it held; with `dryRun` only tells what that is.',
  request: z.strictObject({ host: referenceSchema, dryRun: z.boolean().default(false) }),
  reply: z.object({
    revision: revisionSchema,
    releasedEndpoints: z.int(),
    /** With `dryRun`. */
    preview: hostHoldingsSchema.optional(),
  }),
  idempotent: false,
  timeoutMs: 15_000,
});
export const readmitHostContract = defineContract({
  service,
  verb: 'readmit-host',
  description: 'Lets a host that was removed come back although it has not been started anew.',
  request: z.strictObject({ host: idSchema }),
  reply: z.object({ revision: revisionSchema }),
  idempotent: true,
});
export const drainHostContract = defineContract({
  service,
  verb: 'drain-host',
  description:
    'Lets a host take no new endpoints, or again; tells what it holds. What it holds stays attached.',
  request: z.strictObject({ host: referenceSchema, isDraining: z.boolean() }),
  reply: z.object({ host: hostViewSchema, remaining: hostHoldingsSchema }),
  idempotent: true,
});
export const hostNetworksContract = defineContract({
  service,
  verb: 'host-networks',
  description: 'What a host takes part in, and the revision that it has programmed.',
  request: z.strictObject({ host: referenceSchema }),
  reply: z.object({
    host: idSchema,
    programmed: revisionSchema,
    revision: revisionSchema,
    networks: z.array(
      z.object({ id: idSchema, name: nameSchema, vni: z.int(), endpoints: z.int() }),
    ),
  }),
  idempotent: true,
});

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
      .array(z.strictObject({ endpoint: endpointSpecSchema, request: z.string().min(1).max(128) }))
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
  reply: z.object({ revision: revisionSchema, ok: z.boolean(), steps: z.array(explainStepSchema) }),
  idempotent: true,
  timeoutMs: 8_000,
});
