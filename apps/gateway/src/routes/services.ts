// Services of a network: names that stand for every endpoint which was attached with them.

import {
  declareServiceContract,
  getServiceContract,
  listServicesContract,
  nameSchema,
  revisionSchema,
  serviceViewSchema,
  withdrawServiceContract,
} from '@skein/contracts';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { networkParam, noQuery, pageQuery, present } from '../http/shapes';

const params = z.strictObject({ network: networkParam });
const one = z.strictObject({
  network: networkParam,
  service: nameSchema.meta({ description: 'Name of a service.', example: 'api' }),
});
const serviceSchema = serviceViewSchema.meta({ id: 'Service' });

const serviceExample = {
  network: 'web',
  networkId: 'n-3f9a',
  name: 'api',
  live: 1,
  suspended: 0,
  backends: [
    {
      endpointId: 'e-5f2c1a',
      name: 'a',
      host: 'h1',
      addresses: ['10.1.0.2/24'],
      state: 'live' as const,
    },
  ],
  revision: 19,
};

const listServices = defineRoute({
  method: 'GET',
  path: '/v1/networks/{network}/services',
  operation: 'listServices',
  tag: 'services',
  summary: 'Lists the services of a network, with their backends.',
  role: 'viewer',
  params,
  query: z.strictObject(pageQuery),
  success: {
    status: 200,
    description: 'One page; `cursor` is there if more follow.',
    schema: listServicesContract.reply,
    example: { services: [serviceExample], revision: 20 },
  },
  errors: ['network_not_found'],
  handle: async ({ params: { network }, query }, { ask }) => ({
    body: await ask(listServicesContract, { network, ...present(query) }),
  }),
});

const declareService = defineRoute({
  method: 'POST',
  path: '/v1/networks/{network}/services',
  operation: 'declareService',
  tag: 'services',
  summary: 'Declares a service, so that it is listed whether or not it has backends.',
  description:
    'Declares a service, so that it is listed whether or not it has backends. A service needs no declaration to resolve: its ' +
    'backends are the endpoints that were attached with its name as their `service`, and names resolve to the live ones.',
  role: 'operator',
  params,
  query: noQuery,
  body: declareServiceContract.request.omit({ network: true }).partial({ labels: true }),
  bodyExample: { name: 'api' },
  success: {
    status: 201,
    description: 'The service.',
    schema: serviceSchema,
    example: serviceExample,
  },
  errors: ['network_not_found', 'service_exists'],
  handle: async ({ params: { network }, body: { name, labels = {} } }, { ask }) => {
    const made = await ask(declareServiceContract, { network, name, labels });
    const location = `/v1/networks/${made.networkId}/services/${made.name}`;
    return { body: made, location, revision: made.revision };
  },
});

const getService = defineRoute({
  method: 'GET',
  path: '/v1/networks/{network}/services/{service}',
  operation: 'getService',
  tag: 'services',
  summary: 'One service, with its backends.',
  role: 'viewer',
  params: one,
  query: noQuery,
  success: {
    status: 200,
    description: 'The service.',
    schema: serviceSchema,
    example: serviceExample,
  },
  errors: ['precondition_failed', 'network_not_found', 'service_not_found'],
  handle: async ({ params: reference }, { ask }) => {
    const body = await ask(getServiceContract, reference);
    return { body, revision: body.revision };
  },
});

const withdrawService = defineRoute({
  method: 'DELETE',
  path: '/v1/networks/{network}/services/{service}',
  operation: 'withdrawService',
  tag: 'services',
  summary: 'Takes the declaration of a service without backends back.',
  role: 'operator',
  params: one,
  query: noQuery,
  success: {
    status: 200,
    description: 'The revision at which it is gone.',
    schema: z.object({ revision: revisionSchema }),
    example: { revision: 22 },
  },
  errors: [
    'network_not_found',
    'service_not_found',
    'service_in_use',
    'precondition_failed',
    'unknown_outcome',
  ],
  handle: async ({ params: reference }, { ask, precondition }) => ({
    body: await ask(withdrawServiceContract, { ...reference, ...precondition }),
  }),
});

export const serviceRoutes: readonly Route[] = [
  listServices,
  declareService,
  getService,
  withdrawService,
];
