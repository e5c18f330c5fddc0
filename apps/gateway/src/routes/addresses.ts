// The audit of addresses, and the prefixes that no network may have.

import {
  auditContract,
  cidrSchema,
  excludeContract,
  includeContract,
  listExclusionsContract,
  pageOf,
  referenceSchema,
} from '@skein/contracts';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { noParams, noQuery, pageQuery, present } from '../http/shapes';

const exclusionExample = {
  cidr: '10.9.0.0/16',
  reason: 'the office',
  created: { request: 'cli-8c2', at: 1_795_000_000_000 },
};

const auditAddresses = defineRoute({
  method: 'POST',
  path: '/v1/addresses:audit',
  operation: 'auditAddresses',
  tag: 'networks',
  summary:
    'Compares the store with itself, with the actors and with the hosts’ kernels; repairs what is safe to repair, if asked to.',
  role: 'operator',
  params: noParams,
  query: noQuery,
  body: z.strictObject({
    network: referenceSchema.optional().meta({ description: 'Only this network.' }),
    repair: z.boolean().optional(),
    graceMs: z.int().min(0).max(3_600_000).optional().meta({
      description: 'Age from which an address held for no endpoint is a fault. Default 60000.',
    }),
    limit: z.int().min(1).max(1_000).optional(),
  }),
  bodyExample: { repair: true },
  success: {
    status: 200,
    description: 'What was found at two looks alike, and what became of it.',
    schema: auditContract.reply,
    example: {
      ok: true,
      revision: 42,
      looks: 2,
      examined: { networks: 1, hosts: 3, endpoints: 2, addresses: 4, actors: 1, kernels: 2 },
      silent: [],
      counts: { address_without_endpoint: 1 },
      repaired: 1,
      findings: [
        {
          kind: 'address_without_endpoint',
          subject: '10.1.0.7',
          networkId: 'n-3f9a',
          message: '10.1.0.7 is held by endpoint e9, which does not exist',
          outcome: 'repaired',
          repair: 'releases 10.1.0.7',
        },
      ],
    },
  },
  errors: ['network_not_found', 'overloaded'],
  handle: async ({ body }, { ask }) => ({
    body: await ask(auditContract, present(body), { timeoutMs: 30_000 }),
  }),
});

const listExclusions = defineRoute({
  method: 'GET',
  path: '/v1/exclusions',
  operation: 'listExclusions',
  tag: 'networks',
  summary: 'Prefixes that no network may have: configured, written, or routed by a host.',
  role: 'viewer',
  params: noParams,
  query: z.strictObject(pageQuery),
  success: {
    status: 200,
    description: 'One page, by prefix; `cursor` is there if more follow.',
    schema: listExclusionsContract.reply.extend({ cursor: z.string().optional() }),
    example: { exclusions: [{ ...exclusionExample, excludedBy: 'store' }], revision: 20 },
  },
  errors: [],
  handle: async ({ query: { limit = 100, cursor } }, { ask }) => {
    const { exclusions, revision } = await ask(listExclusionsContract, {});
    const keyOf = (each: (typeof exclusions)[number]): string =>
      [each.cidr, each.excludedBy, each.host ?? ''].join(' ');
    const { items, ...rest } = pageOf(exclusions, keyOf, { limit, cursor });
    return { body: { exclusions: items, ...rest, revision } };
  },
});

const exclude = defineRoute({
  method: 'POST',
  path: '/v1/exclusions',
  operation: 'exclude',
  tag: 'networks',
  summary: 'Keeps a prefix from all networks to come.',
  role: 'operator',
  params: noParams,
  query: noQuery,
  body: excludeContract.request,
  bodyExample: { cidr: '10.9.0.0/16', reason: 'the office' },
  success: {
    status: 201,
    description: 'The exclusion.',
    schema: excludeContract.reply,
    example: { exclusion: exclusionExample, revision: 20 },
  },
  errors: ['subnet_malformed', 'subnet_overlap'],
  handle: async ({ body }, { ask }) => ({ body: await ask(excludeContract, body) }),
});

const include = defineRoute({
  method: 'DELETE',
  path: '/v1/exclusions',
  operation: 'include',
  tag: 'networks',
  summary: 'Ends the exclusion of a prefix.',
  role: 'operator',
  params: noParams,
  query: z.strictObject({ cidr: cidrSchema.meta({ description: 'The prefix.' }) }),
  success: {
    status: 200,
    description: 'The exclusion that was ended.',
    schema: includeContract.reply,
    example: { exclusion: exclusionExample, revision: 21 },
  },
  errors: ['exclusion_not_found'],
  handle: async ({ query }, { ask }) => ({ body: await ask(includeContract, query) }),
});

export const addressRoutes: readonly Route[] = [auditAddresses, listExclusions, exclude, include];
