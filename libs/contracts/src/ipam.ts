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
import { addressRecordSchema, networkRecordSchema } from './state';

const service = 'ipam';
export const maxBatch = 256;

export const subnetSpecSchema = z.strictObject({
  cidr: cidrSchema,
  range: cidrSchema.optional(),
  gateway: addressSchema.optional(),
  reserved: z.record(nameSchema, addressSchema).optional(),
});
export type SubnetSpec = z.output<typeof subnetSpecSchema>;

export const networkSpecSchema = z.strictObject({
  name: nameSchema,
  /** None given: one subnet from the default pools. */
  subnets: z.array(subnetSpecSchema).max(16).optional(),
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
  request: z.strictObject({ network: referenceSchema, force: z.boolean().default(false) }),
  reply: z.object({ revision: revisionSchema, releasedEndpoints: z.int() }),
  idempotent: false,
});
export const addSubnetContract = defineContract({
  service,
  verb: 'add-subnet',
  description: 'Adds a subnet to a network that is in use.',
  request: z.strictObject({ network: referenceSchema, subnet: subnetSpecSchema }),
  reply: networkReplySchema,
  idempotent: false,
});

export const allocationRequestSchema = z.strictObject({
  endpointId: idSchema,
  host: idSchema,
  bootId: z.string().max(64).optional(),
  /** Static addresses; none: one address of the network's choice. */
  addresses: z.array(addressSchema).max(8).optional(),
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
