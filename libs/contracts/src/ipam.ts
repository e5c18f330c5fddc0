// Conversations with `ipam`: networks and their subnets are made and deleted here, addresses handed out and taken back.

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
} from './names';
import { ifRevisionsSchema } from './precondition';
import { addressRecordSchema, exclusionSchema, networkRecordSchema } from './state';

const service = 'ipam';
export const maxBatch = 256;

export const subnetSpecSchema = z.strictObject({
  cidr: cidrSchema,
  range: cidrSchema.optional(),
  gateway: addressSchema.optional(),
  reserved: z.record(nameSchema, addressSchema).optional(),
});
export type SubnetSpec = z.output<typeof subnetSpecSchema>;

export const familySchema = z.enum(['ipv4', 'ipv6']);
const familiesSchema = z.array(familySchema).min(1).max(2);

export const networkSpecSchema = z.strictObject({
  name: nameSchema,
  /** None given: one subnet from the default pools. */
  subnets: z.array(subnetSpecSchema).max(16).optional(),
  /** Those that no given subnet is of get one from the default pools. */
  families: familiesSchema.optional(),
  /** Its subnets may overlap other networks, excluded prefixes and hosts' routes: it never meets them. */
  allowOverlap: z.boolean().optional(),
  attachable: z.boolean().default(true),
  internal: z.boolean().default(false),
  multicast: z.boolean().default(false),
  encrypted: z.boolean().default(false),
  onHostLoss: z.enum(['keep', 'fence']).default('keep'),
  mtu: z.int().min(576).max(65_485).optional(),
  vni: z.int().min(1).max(0xffffff).optional(),
  labels: labelsSchema.default({}),
});
export type NetworkSpec = z.output<typeof networkSpecSchema>;

const networkReplySchema = z.object({ network: networkRecordSchema, revision: revisionSchema });

export const createNetworkContract = defineContract({
  service,
  verb: 'create-network',
  description: 'Creates a network: chooses id, VNI and, if none are given, a subnet.',
  request: networkSpecSchema,
  reply: networkReplySchema,
  idempotent: false,
});
export const deleteNetworkContract = defineContract({
  service,
  verb: 'delete-network',
  description:
    'Deletes a network without endpoints; with force, also its endpoints on hosts that are down.',
  request: z.strictObject({
    network: referenceSchema,
    force: z.boolean().default(false),
    ifRevisions: ifRevisionsSchema,
  }),
  reply: z.object({ revision: revisionSchema, releasedEndpoints: z.int() }),
  idempotent: false,
});
export const addSubnetContract = defineContract({
  service,
  verb: 'add-subnet',
  description: 'Adds a subnet to a network that is in use.',
  request: z.strictObject({
    network: referenceSchema,
    subnet: subnetSpecSchema,
    ifRevisions: ifRevisionsSchema,
  }),
  reply: networkReplySchema,
  idempotent: false,
});

const exclusionViewSchema = exclusionSchema.partial({ created: true }).extend({
  /** `configuration`: of ipam's own, and ended there. */
  excludedBy: z.enum(['configuration', 'store', 'route']),
  /** Name of the host that routes it. */
  host: z.string().optional(),
});
export const listExclusionsContract = defineContract({
  service,
  verb: 'list-exclusions',
  description: 'Prefixes that no network may have: configured, written, or routed by a host.',
  request: z.strictObject({}),
  reply: z.object({ exclusions: z.array(exclusionViewSchema), revision: revisionSchema }),
  idempotent: true,
});
export const excludeContract = defineContract({
  service,
  verb: 'exclude',
  description: 'Keeps a prefix from all networks to come; refused where a network has part of it.',
  request: z.strictObject({ cidr: cidrSchema, reason: z.string().max(256).optional() }),
  reply: z.object({ exclusion: exclusionSchema, revision: revisionSchema }),
  idempotent: true,
});
export const includeContract = defineContract({
  service,
  verb: 'include',
  description: 'Ends the exclusion of a prefix.',
  request: z.strictObject({ cidr: cidrSchema }),
  reply: z.object({ exclusion: exclusionSchema, revision: revisionSchema }),
  idempotent: false,
});

export const allocationRequestSchema = z.strictObject({
  endpointId: idSchema,
  host: idSchema,
  bootId: z.string().max(64).optional(),
  /** Static addresses; each family of the network that has none here gets one of the network's choice. */
  addresses: z.array(addressSchema).max(8).optional(),
  /** Only these families get one of the network's choice. */
  families: familiesSchema.optional(),
  mac: macSchema.optional(),
});
export type AllocationRequest = z.output<typeof allocationRequestSchema>;
export const allocationSchema = z.object({
  endpointId: idSchema,
  /** With prefix length. */
  addresses: z.array(cidrSchema),
  mac: macSchema,
});
export type Allocation = z.output<typeof allocationSchema>;

export const allocateContract = defineContract({
  service,
  verb: 'allocate',
  description:
    'Gives each of the endpoints its addresses and MAC, all or nothing, committed before the answer. Repeating it for the same endpoint ids answers the same addresses.',
  request: z.strictObject({
    network: referenceSchema,
    requests: z.array(allocationRequestSchema).min(1).max(maxBatch),
  }),
  reply: z.object({ allocations: z.array(allocationSchema), revision: revisionSchema }),
  idempotent: true,
});
export const releaseContract = defineContract({
  service,
  verb: 'release',
  description: 'Takes back every address of the endpoints; ids that hold nothing are passed over.',
  request: z.strictObject({
    network: referenceSchema,
    endpointIds: z.array(idSchema).min(1).max(maxBatch),
  }),
  reply: z.object({ released: z.int(), revision: revisionSchema }),
  idempotent: true,
});
/** The same, asked of the network's actor itself: its instance is the network's id. Nobody there: it is not activated. */
const actorService = 'ipam-actor';
export const actorAllocateContract = defineContract({
  ...allocateContract,
  service: actorService,
  description: 'As `ipam` `allocate`; served by the replica that holds the activation.',
  perInstance: true,
});
export const actorReleaseContract = defineContract({
  ...releaseContract,
  service: actorService,
  description: 'As `ipam` `release`; served by the replica that holds the activation.',
  perInstance: true,
});
export const usageContract = defineContract({
  service,
  verb: 'usage',
  description: 'How full each subnet of a network is, and who holds what.',
  request: z.strictObject({
    network: referenceSchema,
    limit: z.int().min(1).max(1_000).default(100),
    cursor: z.string().max(128).optional(),
  }),
  reply: z.object({
    networkId: idSchema,
    revision: revisionSchema,
    subnets: z.array(
      z.object({
        cidr: cidrSchema,
        /** Addresses that can be held at all; a string where it passes 2^53. */
        total: z.union([z.number(), z.string()]),
        used: z.int(),
        resting: z.int(),
        reserved: z.int(),
      }),
    ),
    holders: z.array(addressRecordSchema),
    cursor: z.string().optional(),
  }),
  idempotent: true,
});

export const actorBeliefContract = defineContract({
  service: actorService,
  verb: 'belief',
  description:
    'What the activation believes of its addresses: a digest a bucket, and the entries of one bucket if it is asked for.',
  request: z.strictObject({ network: idSchema, bucket: z.int().min(0).max(63).optional() }),
  reply: z.object({
    replica: idSchema,
    /** False: it is between two views. */
    isSettled: z.boolean(),
    digests: z.array(z.string()),
    /** Sortable address, and the revision of its record. */
    entries: z.array(z.tuple([z.string(), z.int()])).optional(),
  }),
  idempotent: true,
  perInstance: true,
});
export const actorReloadContract = defineContract({
  service: actorService,
  verb: 'reload',
  description: 'Has the activation read its network anew.',
  request: z.strictObject({ network: idSchema }),
  reply: z.object({ replica: idSchema }),
  idempotent: true,
  perInstance: true,
});

export const auditFindingSchema = z.object({
  /** `address_without_endpoint`, `actor_differs`, …: libs/audit has them all. */
  kind: z.string(),
  /** Key, address, endpoint or name that it is about. */
  subject: z.string(),
  networkId: z.string().optional(),
  host: z.string().optional(),
  message: z.string(),
  /** `repairable`: it was not asked for. `moved`: it changed before it could be repaired. `person`: someone has to look. */
  outcome: z.enum(['repaired', 'repairable', 'moved', 'person']),
  /** What the repair does, or did. */
  repair: z.string().optional(),
});
export type AuditFinding = z.output<typeof auditFindingSchema>;
export const auditContract = defineContract({
  service,
  verb: 'audit',
  description:
    'Compares the store with itself, with the actors and with the hosts’ kernels, without a lock: what differs is looked at twice. Repairs what is safe to repair, if asked to.',
  request: z.strictObject({
    network: referenceSchema.optional(),
    repair: z.boolean().default(false),
    /** What is held for an endpoint that is not there is a fault once it is as old as this. */
    graceMs: z.int().min(0).max(3_600_000).default(60_000),
    /** Findings that are answered in full; the counts are of all. */
    limit: z.int().min(1).max(1_000).default(200),
  }),
  reply: z.object({
    /** Nothing is left that differs. */
    ok: z.boolean(),
    revision: revisionSchema,
    /** 2 if the first look found anything. */
    looks: z.int(),
    examined: z.record(z.string(), z.int()),
    /** Live hosts whose agents did not answer: their kernels were not looked at. */
    silent: z.array(z.string()),
    /** By kind. */
    counts: z.record(z.string(), z.int()),
    repaired: z.int(),
    findings: z.array(auditFindingSchema),
  }),
  idempotent: true,
  timeoutMs: 30_000,
});
