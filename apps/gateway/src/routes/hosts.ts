// Hosts: who takes part, how each fares, what each has programmed.

import {
  getHostContract,
  hostNetworksContract,
  hostViewSchema,
  listHostsContract,
  removeHostContract,
  revisionSchema,
} from '@skein/contracts';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { hostParam, noParams, noQuery, pageQuery, present } from '../http/shapes';

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
  errors: ['host_not_found'],
  handle: async ({ params: { host } }, { ask }) => {
    const body = await ask(getHostContract, { host });
    return { body, revision: body.revision };
  },
});

const removeHost = defineRoute({
  method: 'DELETE',
  path: '/v1/hosts/{host}',
  operation: 'removeHost',
  tag: 'hosts',
  summary: 'Removes a host that is down, releasing what it held.',
  role: 'operator',
  params,
  query: noQuery,
  success: {
    status: 200,
    description: 'The revision at which it is gone.',
    schema: z.object({ revision: revisionSchema, releasedEndpoints: z.int() }),
    example: { revision: 44, releasedEndpoints: 3 },
  },
  errors: ['host_not_found', 'host_in_use', 'precondition_failed', 'unknown_outcome'],
  handle: async ({ params: { host } }, { ask, match }) => {
    await match(() => ask(getHostContract, { host }));
    return { body: await ask(removeHostContract, { host }) };
  },
});

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
  errors: ['host_not_found'],
  handle: async ({ params: { host } }, { ask }) => ({
    body: await ask(hostNetworksContract, { host }),
  }),
});

export const hostRoutes: readonly Route[] = [listHosts, getHost, removeHost, hostNetworks];
