// Hosts: who takes part, how each fares, what each has programmed.

import {
  drainHostContract,
  getHostContract,
  hostNetworksContract,
  hostViewSchema,
  idSchema,
  listHostsContract,
  readmitHostContract,
  removeHostContract,
} from '@skein/contracts';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { hostParam, noParams, noQuery, pageQuery, present, queryFlag } from '../http/shapes';

const params = z.strictObject({ host: hostParam });
const hostSchema = hostViewSchema.meta({ id: 'Host' });

const hostExample = {
  id: 'h1',
  name: 'h1',
  vtep: '192.0.2.1',
  gossip: '192.0.2.1:7946',
  underlayMtu: 1500,
  bootId: 'b-81c0',
  epoch: 3,
  state: 'up',
  since: 1_795_000_000_000,
  labels: {},
  revision: 12,
  programmed: 21,
  networks: 1,
  endpoints: 2,
  repairs: 0,
};

const listHosts = defineRoute({
  method: 'GET',
  path: '/v1/hosts',
  operation: 'listHosts',
  tag: 'hosts',
  summary: 'Lists hosts.',
  role: 'viewer',
  params: noParams,
  query: z.strictObject(pageQuery),
  success: {
    status: 200,
    description: 'One page; `cursor` is there if more follow.',
    schema: listHostsContract.reply,
    example: { hosts: [hostExample], revision: 21 },
  },
  errors: [],
  handle: async ({ query }, { ask }) => ({ body: await ask(listHostsContract, present(query)) }),
});

const getHost = defineRoute({
  method: 'GET',
  path: '/v1/hosts/{host}',
  operation: 'getHost',
  tag: 'hosts',
  summary: 'One host.',
  role: 'viewer',
  params,
  query: noQuery,
  success: { status: 200, description: 'The host.', schema: hostSchema, example: hostExample },
  errors: ['precondition_failed', 'host_not_found'],
  handle: async ({ params: { host } }, { ask }) => {
    const body = await ask(getHostContract, { host });
    return { body, revision: body.revision };
  },
});

const holdingsExample = {
  host: 'h1',
  name: 'h1',
  state: 'down' as const,
  revision: 43,
  counts: { networks: 1, endpoints: 1, addresses: 1, names: 2 },
  networks: [{ id: 'n-3f9a', name: 'web', onHostLoss: 'keep' as const, endpoints: 1 }],
  endpoints: [
    { id: 'e-81c0', network: 'web', name: 'a', addresses: ['10.1.0.5/24'], names: ['a', 'first'] },
  ],
};

const removeHost = defineRoute({
  method: 'DELETE',
  path: '/v1/hosts/{host}',
  operation: 'removeHost',
  tag: 'hosts',
  summary: 'Removes a host that is down, releasing what it held.',
  role: 'operator',
  params,
  query: z.strictObject({
    dryRun: queryFlag('Only tell what would be released; change nothing.').optional(),
  }),
  success: {
    status: 200,
    description: 'The revision at which it is gone; with `dryRun` what would be released.',
    schema: removeHostContract.reply,
    example: { revision: 43, releasedEndpoints: 0, preview: holdingsExample },
  },
  errors: [
    'host_not_found',
    'host_in_use',
    'unavailable',
    'precondition_failed',
    'unknown_outcome',
  ],
  handle: async ({ params: { host }, query: { dryRun = false } }, { ask, precondition }) => ({
    body: await ask(removeHostContract, { host, dryRun, ...precondition }),
  }),
});

const readmitHost = defineRoute({
  method: 'POST',
  path: '/v1/hosts/{host}:readmit',
  operation: 'readmitHost',
  tag: 'hosts',
  summary: 'Lets a host that was removed come back although it has not been started anew.',
  role: 'operator',
  params: z.strictObject({ host: idSchema.meta({ description: 'Id of a host.', example: 'h1' }) }),
  query: noQuery,
  body: z.strictObject({}),
  bodyExample: {},
  success: {
    status: 200,
    description: 'The revision from which on it may register.',
    schema: readmitHostContract.reply,
    example: { revision: 45 },
  },
  errors: ['host_not_found', 'unknown_outcome'],
  handle: async ({ params: { host } }, { ask }) => ({
    body: await ask(readmitHostContract, { host }),
  }),
});

function drainRoute(verb: 'drain' | 'undrain', operation: string, summary: string) {
  const isDraining = verb === 'drain';
  return defineRoute({
    method: 'POST',
    path: `/v1/hosts/{host}:${verb}`,
    operation,
    tag: 'hosts',
    summary,
    role: 'operator',
    params,
    query: noQuery,
    body: z.strictObject({}),
    bodyExample: {},
    success: {
      status: 200,
      description: 'The host, and what is still attached there.',
      schema: drainHostContract.reply,
      example: {
        host: isDraining ? { ...hostExample, isDraining } : hostExample,
        remaining: { ...holdingsExample, state: 'up' as const },
      },
    },
    errors: ['host_not_found', 'unknown_outcome'],
    handle: async ({ params: { host } }, { ask }) => ({
      body: await ask(drainHostContract, { host, isDraining }),
    }),
  });
}

const drainHost = drainRoute(
  'drain',
  'drainHost',
  'Lets a host take no new endpoints; those that it has stay, and are listed.',
);
const undrainHost = drainRoute(
  'undrain',
  'undrainHost',
  'Lets a drained host take endpoints again.',
);

const hostNetworks = defineRoute({
  method: 'GET',
  path: '/v1/hosts/{host}/networks',
  operation: 'hostNetworks',
  tag: 'hosts',
  summary: 'What a host takes part in, and the revision that it has programmed.',
  role: 'viewer',
  params,
  query: noQuery,
  success: {
    status: 200,
    description: 'Its networks.',
    schema: hostNetworksContract.reply,
    example: {
      host: 'h1',
      programmed: 21,
      revision: 21,
      networks: [{ id: 'n-3f9a', name: 'web', vni: 4097, endpoints: 2 }],
    },
  },
  errors: ['precondition_failed', 'host_not_found'],
  handle: async ({ params: { host } }, { ask }) => {
    const body = await ask(hostNetworksContract, { host });
    return { body, revision: body.revision };
  },
});

export const hostRoutes: readonly Route[] = [
  listHosts,
  getHost,
  removeHost,
  readmitHost,
  drainHost,
  undrainHost,
  hostNetworks,
];
