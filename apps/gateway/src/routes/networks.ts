// Networks, their subnets and who holds which address of them.

import {
  addSubnetContract,
  addressRecordSchema,
  cidrSchema,
  createNetworkContract,
  deleteNetworkContract,
  getNetworkContract,
  idSchema,
  listNetworksContract,
  networkSpecSchema,
  networkViewSchema,
  revisionSchema,
  subnetSpecSchema,
  usageContract,
  type NetworkRecord,
  type NetworkView,
} from '@skein/contracts';
import { z } from 'zod';
import { defineRoute, renameField, type Route, type RouteContext } from '../http/route';
import { networkParam, noParams, noQuery, pageQuery, present, queryFlag } from '../http/shapes';

const networkSchema = networkViewSchema.meta({ id: 'Network' });
const params = z.strictObject({ network: networkParam });

const networkExample = {
  id: 'n-3f9a',
  name: 'web',
  vni: 4097,
  subnets: [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1', reserved: {} }],
  attachable: true,
  internal: false,
  multicast: false,
  encrypted: false,
  onHostLoss: 'keep',
  labels: {},
  created: { request: 'cli-8c2', at: 1_795_000_000_000 },
  revision: 18,
  endpoints: 2,
  hosts: ['h1', 'h2'],
};

const listNetworks = defineRoute({
  method: 'GET',
  path: '/v1/networks',
  operation: 'listNetworks',
  tag: 'networks',
  summary: 'Lists networks.',
  role: 'viewer',
  params: noParams,
  query: z.strictObject(pageQuery),
  success: {
    status: 200,
    description: 'One page; `cursor` is there if more follow.',
    schema: listNetworksContract.reply,
    example: { networks: [networkExample], revision: 20 },
  },
  errors: [],
  handle: async ({ query }, { ask }) => ({ body: await ask(listNetworksContract, present(query)) }),
});

const createNetwork = defineRoute({
  method: 'POST',
  path: '/v1/networks',
  operation: 'createNetwork',
  tag: 'networks',
  summary: 'Creates a network. Without a subnet it gets one from the default pools.',
  role: 'operator',
  params: noParams,
  query: noQuery,
  body: networkSpecSchema,
  bodyExample: { name: 'web', subnets: [{ cidr: '10.1.0.0/24' }] },
  success: {
    status: 201,
    description: 'The network.',
    schema: networkSchema,
    example: networkExample,
  },
  errors: [
    'network_name_taken',
    'subnet_malformed',
    'subnet_overlap',
    'subnet_excluded',
    'subnet_routed',
    'subnets_exhausted',
    'vni_taken',
    'address_outside_subnet',
    'address_reserved',
  ],
  handle: async ({ body }, { ask }) => {
    const { network, revision } = await ask(createNetworkContract, body);
    const view = await viewSince(ask, network, revision);
    return { body: view, location: `/v1/networks/${network.id}`, revision: view.revision };
  },
});

const getNetwork = defineRoute({
  method: 'GET',
  path: '/v1/networks/{network}',
  operation: 'getNetwork',
  tag: 'networks',
  summary: 'One network.',
  role: 'viewer',
  params,
  query: noQuery,
  success: {
    status: 200,
    description: 'The network.',
    schema: networkSchema,
    example: networkExample,
  },
  errors: ['precondition_failed', 'network_not_found'],
  handle: async ({ params: { network } }, { ask }) => {
    const body = await ask(getNetworkContract, { network });
    return { body, revision: body.revision };
  },
});

const deleteNetwork = defineRoute({
  method: 'DELETE',
  path: '/v1/networks/{network}',
  operation: 'deleteNetwork',
  tag: 'networks',
  summary: 'Deletes a network without endpoints.',
  role: 'operator',
  params,
  query: z.strictObject({
    force: queryFlag('Also release its endpoints on hosts that are down.').optional(),
  }),
  success: {
    status: 200,
    description: 'The revision at which it is gone.',
    schema: z.object({ revision: revisionSchema, releasedEndpoints: z.int() }),
    example: { revision: 42, releasedEndpoints: 0 },
  },
  errors: ['network_not_found', 'network_in_use', 'precondition_failed', 'unknown_outcome'],
  handle: async ({ params: { network }, query: { force = false } }, { ask, precondition }) => ({
    body: await ask(deleteNetworkContract, { network, force, ...precondition }),
  }),
});

const addSubnet = defineRoute({
  method: 'POST',
  path: '/v1/networks/{network}/subnets',
  operation: 'addSubnet',
  tag: 'networks',
  summary: 'Adds a subnet to a network that is in use.',
  role: 'operator',
  params,
  query: noQuery,
  body: subnetSpecSchema,
  bodyExample: { cidr: '10.2.0.0/24', range: '10.2.0.128/25' },
  success: {
    status: 201,
    description: 'The network with the new subnet.',
    schema: networkSchema,
    example: networkExample,
  },
  errors: [
    'network_not_found',
    'subnet_malformed',
    'subnet_overlap',
    'subnet_excluded',
    'subnet_routed',
    'address_outside_subnet',
    'address_reserved',
    'precondition_failed',
  ],
  handle: async ({ params: { network }, body }, { ask, precondition }) => {
    const added = await ask(addSubnetContract, { network, subnet: body, ...precondition }).catch(
      renameField(/^subnet\./, ''),
    );
    const view = await viewSince(ask, added.network, added.revision);
    return { body: view, location: `/v1/networks/${added.network.id}`, revision: view.revision };
  },
});

/** What was committed is answered, even if the registry, which adds hosts and endpoints to it, can't be asked. */
async function viewSince(
  ask: RouteContext['ask'],
  network: NetworkRecord,
  revision: number,
): Promise<NetworkView> {
  const request = { network: network.id, atLeast: revision };
  return ask(getNetworkContract, request, { timeoutMs: 2_000 }).catch(() => ({
    ...network,
    revision,
    endpoints: 0,
    hosts: [],
  }));
}

const usageSchema = z.object({
  network: idSchema,
  revision: revisionSchema,
  total: z.union([z.number(), z.string()]).meta({
    description: 'Addresses that can be held; a string where it passes 2^53.',
  }),
  used: z.int(),
  resting: z.int(),
  reserved: z.int(),
  subnets: z.array(
    z.object({
      cidr: cidrSchema,
      total: z.union([z.number(), z.string()]),
      used: z.int(),
      resting: z.int(),
      reserved: z.int(),
    }),
  ),
  holders: z.array(addressRecordSchema),
  cursor: z.string().optional(),
});

const networkAddresses = defineRoute({
  method: 'GET',
  path: '/v1/networks/{network}/addresses',
  operation: 'networkAddresses',
  tag: 'networks',
  summary: 'How full a network is, and who holds what.',
  role: 'viewer',
  params,
  query: z.strictObject(pageQuery),
  success: {
    status: 200,
    description: 'The whole network in numbers, and one page of holders.',
    schema: usageSchema,
    example: {
      network: 'n-3f9a',
      revision: 20,
      total: 254,
      used: 2,
      resting: 0,
      reserved: 1,
      subnets: [{ cidr: '10.1.0.0/24', total: 254, used: 2, resting: 0, reserved: 1 }],
      holders: [],
    },
  },
  errors: ['precondition_failed', 'network_not_found'],
  handle: async ({ params: { network }, query }, { ask }) => {
    const { networkId, subnets, ...usage } = await ask(usageContract, {
      network,
      ...present(query),
    });
    const sum = (field: 'used' | 'resting' | 'reserved'): number =>
      subnets.reduce((total, subnet) => total + subnet[field], 0);
    const body = {
      network: networkId,
      total: bigSum(subnets.map((subnet) => subnet.total)),
      used: sum('used'),
      resting: sum('resting'),
      reserved: sum('reserved'),
      subnets,
      ...usage,
    };
    return { body, revision: usage.revision };
  },
});

export function bigSum(parts: readonly (number | string)[]): number | string {
  const sum = parts.reduce<bigint>((total, part) => total + BigInt(part), 0n);
  return sum <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(sum) : String(sum);
}

export const networkRoutes: readonly Route[] = [
  listNetworks,
  createNetwork,
  getNetwork,
  deleteNetwork,
  addSubnet,
  networkAddresses,
];
