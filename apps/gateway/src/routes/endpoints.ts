// Endpoints of a network: attach, look, detach.

import {
  createEndpointsContract,
  deleteEndpointContract,
  endpointSpecSchema,
  endpointViewSchema,
  getEndpointContract,
  idSchema,
  listEndpointsContract,
  maxBatch,
  revisionSchema,
  type EndpointSpec,
  type ErrorCode,
} from '@skein/contracts';
import { z } from 'zod';
import { attachMarginMs } from '../http/attach-gatherer';
import { defineRoute, renameField, type Route, type RouteContext } from '../http/route';
import {
  endpointParam,
  networkParam,
  noQuery,
  pageQuery,
  present,
  waitQuery,
} from '../http/shapes';

const params = z.strictObject({ network: networkParam });
const one = z.strictObject({ network: networkParam, endpoint: endpointParam });
const endpointSchema = endpointViewSchema.meta({ id: 'Endpoint' });

const faultSchema = z.object({ endpointId: idSchema, code: z.string(), message: z.string() });
const behindSchema = z.array(idSchema).meta({
  description: 'Hosts that had not programmed the change in time; empty: every live one has.',
});
const attachedSchema = endpointViewSchema
  .extend({ behind: behindSchema, faults: z.array(faultSchema).optional() })
  .meta({ id: 'AttachedEndpoint' });

const attachErrors: readonly ErrorCode[] = [
  'network_not_found',
  'host_not_found',
  'host_not_up',
  'host_draining',
  'endpoint_name_taken',
  'address_taken',
  'address_reserved',
  'address_outside_subnet',
  'mac_taken',
  'pool_exhausted',
  'sandbox_not_found',
  'fenced',
];

const endpointExample = {
  id: 'e-5f2c1a',
  networkId: 'n-3f9a',
  network: 'web',
  host: 'h1',
  name: 'a',
  aliases: [],
  addresses: ['10.1.0.2/24'],
  mac: '02:42:0a:01:00:02',
  labels: {},
  created: { request: 'cli-8c3', at: 1_795_000_000_000 },
  state: 'live',
  revision: 19,
};

const defaultWaitMs = 3_000;

function attachAll(
  ask: RouteContext['ask'],
  network: string,
  endpoints: EndpointSpec[],
  waitMs: number = defaultWaitMs,
) {
  const timeoutMs = waitMs + attachMarginMs;
  return ask(createEndpointsContract, { network, endpoints, waitMs }, { timeoutMs });
}

const listEndpoints = defineRoute({
  method: 'GET',
  path: '/v1/networks/{network}/endpoints',
  operation: 'listEndpoints',
  tag: 'endpoints',
  summary: 'Lists the endpoints of a network.',
  role: 'viewer',
  params,
  query: z.strictObject(pageQuery),
  success: {
    status: 200,
    description: 'One page; `cursor` is there if more follow.',
    schema: listEndpointsContract.reply,
    example: { endpoints: [endpointExample], revision: 20 },
  },
  errors: ['network_not_found'],
  handle: async ({ params: { network }, query }, { ask }) => ({
    body: await ask(listEndpointsContract, { network, ...present(query) }),
  }),
});

const createEndpoint = defineRoute({
  method: 'POST',
  path: '/v1/networks/{network}/endpoints',
  operation: 'createEndpoint',
  tag: 'endpoints',
  summary: 'Attaches an endpoint.',
  description:
    'Attaches an endpoint. Answers after every live host of the network has programmed it, or after the wait; then `behind` ' +
    'names who has not. Without a sandbox it is held and announced, and gets its interface when a runtime joins it.',
  role: 'operator',
  params,
  query: z.strictObject(waitQuery),
  body: endpointSpecSchema,
  bodyExample: { host: 'h1', name: 'a', sandbox: { netns: '/run/netns/a' } },
  success: {
    status: 201,
    description: 'The endpoint.',
    schema: attachedSchema,
    example: { ...endpointExample, behind: [] },
  },
  errors: [...attachErrors, 'endpoint_gone'],
  commitsKey: true,
  handle: async ({ params: { network }, query, body }, { attach }) => {
    const reply = await attach(network, body, query.wait ?? defaultWaitMs).catch(
      renameField(/^(requests|endpoints)\.0\./, ''),
    );
    const endpoint = reply.endpoints[0];
    if (endpoint === undefined) throw new Error('the registry answered without the endpoint');
    const faults = reply.faults.filter((fault) => fault.endpointId === endpoint.id);
    return {
      body: { ...endpoint, behind: reply.behind, ...(faults.length === 0 ? {} : { faults }) },
      location: `/v1/networks/${endpoint.networkId}/endpoints/${endpoint.id}`,
      revision: endpoint.revision,
      ...(reply.isReplayed === true ? { isReplayed: true } : {}),
    };
  },
});

const createEndpoints = defineRoute({
  method: 'POST',
  path: '/v1/networks/{network}/endpoints:batch',
  operation: 'createEndpoints',
  tag: 'endpoints',
  summary: 'Attaches several endpoints, all or nothing.',
  role: 'operator',
  params,
  query: z.strictObject(waitQuery),
  body: z.strictObject({ endpoints: z.array(endpointSpecSchema).min(1).max(maxBatch) }),
  bodyExample: {
    endpoints: [
      { host: 'h1', name: 'a' },
      { host: 'h2', name: 'b' },
    ],
  },
  success: {
    status: 201,
    description: 'The endpoints, in the order of the request.',
    schema: createEndpointsContract.reply,
    example: { endpoints: [endpointExample], revision: 19, behind: [], faults: [] },
  },
  errors: attachErrors,
  handle: async ({ params: { network }, query, body }, { ask }) => ({
    body: await attachAll(ask, network, body.endpoints, query.wait).catch(
      renameField(/^requests\./, 'endpoints.'),
    ),
    location: `/v1/networks/${encodeURIComponent(network)}/endpoints`,
  }),
});

const getEndpoint = defineRoute({
  method: 'GET',
  path: '/v1/networks/{network}/endpoints/{endpoint}',
  operation: 'getEndpoint',
  tag: 'endpoints',
  summary: 'One endpoint.',
  role: 'viewer',
  params: one,
  query: noQuery,
  success: {
    status: 200,
    description: 'The endpoint.',
    schema: endpointSchema,
    example: endpointExample,
  },
  errors: ['precondition_failed', 'network_not_found', 'endpoint_not_found'],
  handle: async ({ params: reference }, { ask }) => {
    const body = await ask(getEndpointContract, reference);
    return { body, revision: body.revision };
  },
});

const deleteEndpoint = defineRoute({
  method: 'DELETE',
  path: '/v1/networks/{network}/endpoints/{endpoint}',
  operation: 'deleteEndpoint',
  tag: 'endpoints',
  summary: 'Detaches an endpoint and releases its addresses.',
  role: 'operator',
  params: one,
  query: z.strictObject(waitQuery),
  success: {
    status: 200,
    description: 'The revision at which it is gone.',
    schema: z.object({ revision: revisionSchema, behind: behindSchema }),
    example: { revision: 21, behind: [] },
  },
  errors: ['network_not_found', 'endpoint_not_found', 'precondition_failed', 'unknown_outcome'],
  handle: async ({ params: reference, query }, { ask, precondition }) => {
    const waitMs = query.wait ?? defaultWaitMs;
    const timeoutMs = waitMs + attachMarginMs;
    const request = { ...reference, waitMs, ...precondition };
    return { body: await ask(deleteEndpointContract, request, { timeoutMs }) };
  },
});

export const endpointRoutes: readonly Route[] = [
  listEndpoints,
  createEndpoint,
  createEndpoints,
  getEndpoint,
  deleteEndpoint,
];
