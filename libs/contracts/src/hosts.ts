// Conversations with `registry` about hosts: coming, staying alive, what each holds and has programmed, and going.

import { z } from 'zod';
import { defineContract } from './contract';
import {
  addressSchema,
  cidrSchema,
  idSchema,
  labelsSchema,
  nameSchema,
  referenceSchema,
  revisionSchema,
} from './names';
import { page, pageReply } from './page';
import { ifRevisionsSchema } from './precondition';
import { reachabilitySchema } from './reachability';
import { digestSchema } from './share';
import { hostRecordSchema } from './state';

const service = 'registry';

const droppedSchema = z.object({
  /** Of its own endpoints, with a source that is not theirs. */
  spoofed: z.int().min(0),
  /** From hosts without a part in the network. */
  strangers: z.int().min(0),
});

export const hostViewSchema = hostRecordSchema.extend({
  revision: revisionSchema,
  /** Store revision that its agent last said it has programmed. */
  programmed: revisionSchema,
  networks: z.int(),
  endpoints: z.int(),
  repairs: z.int(),
  /** Frames that its filters have kept out since they were made; absent: none. */
  dropped: droppedSchema.optional(),
  /** Ids of hosts whose datagrams do not get through to it: only its gossip's TCP answers them. */
  udpBlockedFrom: z.array(idSchema).optional(),
  /** What the others' gossip thinks of it, as each said with its latest heartbeat: how many call it alive, and who does not. */
  opinions: z
    .object({ alive: z.int(), suspect: z.array(idSchema), dead: z.array(idSchema) })
    .optional(),
  /** What this registry last granted it. Absent: nothing, since it took office. */
  lease: z
    .object({
      epoch: z.int(),
      bootId: z.string(),
      lastsMs: z.int(),
      /** Until when it may hold at the latest; it counts from when it asked, which is earlier. 0: it has run out. */
      leftMs: z.int(),
      /** Networks that fall silent on this host without it. */
      fences: z.array(nameSchema),
    })
    .optional(),
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
    /** Frames that its filters have kept out since they were made; absent: none. */
    dropped: droppedSchema.optional(),
    /** Mark of the enrolment that it knows. Absent: it does not ask. */
    enrolment: z.string().max(128).optional(),
  }),
  speaker: 'host',
  reply: z.object({
    revision: revisionSchema,
    /** True if the registry does not know this host with this boot id, or has it `down`: register again. */
    registerAgain: z.boolean(),
    /** The host's lease, counted from when this heartbeat was sent. Absent: none is granted now. */
    leaseMs: z.int().min(1).optional(),
    /** Another enrolment holds now than the one that the host knows. */
    isEnrolmentNew: z.literal(true).optional(),
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
  request: z.strictObject({
    host: referenceSchema,
    dryRun: z.boolean().default(false),
    ifRevisions: ifRevisionsSchema,
  }),
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
