// Leases of the store: keys put under one go with it.

import {
  grantLeaseContract,
  keepAliveContract,
  leaseIdSchema,
  leasesContract,
  leaseTimeToLiveContract,
  pageOf,
  revokeLeaseContract,
} from '@skein/contracts';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { noParams, noQuery, pageQuery, present, queryFlag } from '../http/shapes';

const leaseParams = z.strictObject({
  lease: leaseIdSchema.meta({ description: 'Name of a lease.', example: 'l1' }),
});

const listLeases = defineRoute({
  method: 'GET',
  path: '/v1/leases',
  operation: 'listLeases',
  tag: 'store',
  summary: 'All leases with the time that each still has.',
  role: 'viewer',
  params: noParams,
  query: z.strictObject(pageQuery),
  success: {
    status: 200,
    description: 'One page, by name; `cursor` is there if more follow.',
    schema: leasesContract.reply.extend({ cursor: z.string().optional() }),
    example: { leases: [{ lease: 'l1', ttlMs: 60_000, grant: 7, remainingMs: 41_250, keys: 2 }] },
  },
  errors: ['no_leader'],
  handle: async ({ query: { limit = 100, cursor } }, { ask }) => {
    const { leases } = await ask(leasesContract, {});
    const { items, ...rest } = pageOf(leases, ({ lease }) => lease, { limit, cursor });
    return { body: { leases: items, ...rest } };
  },
});

const grantLease = defineRoute({
  method: 'POST',
  path: '/v1/leases',
  operation: 'grantLease',
  tag: 'store',
  summary: 'Grants a lease, under a name of your own or one that the store chooses.',
  role: 'operator',
  params: noParams,
  query: noQuery,
  body: grantLeaseContract.request.omit({ once: true }),
  bodyExample: { ttlMs: 60_000 },
  success: {
    status: 201,
    description: 'The lease.',
    schema: grantLeaseContract.reply,
    example: { lease: 'l1', ttlMs: 60_000, revision: 1031 },
  },
  errors: ['no_leader', 'lease_exists', 'no_space'],
  handle: async ({ body }, { ask }) => {
    const granted = await ask(grantLeaseContract, present(body));
    return { body: granted, location: `/v1/leases/${encodeURIComponent(granted.lease)}` };
  },
});

const showLease = defineRoute({
  method: 'GET',
  path: '/v1/leases/{lease}',
  operation: 'showLease',
  tag: 'store',
  summary: 'One lease: how long it still lives, and what hangs on it.',
  role: 'viewer',
  params: leaseParams,
  query: z.strictObject({ keys: queryFlag('List the keys under it too.').optional() }),
  success: {
    status: 200,
    description: 'The lease.',
    schema: leaseTimeToLiveContract.reply,
    example: {
      lease: 'l1',
      ttlMs: 60_000,
      grant: 7,
      remainingMs: 41_250,
      keys: 1,
      attached: ['greeting'],
    },
  },
  errors: ['no_leader', 'lease_not_found'],
  handle: async ({ params: { lease }, query: { keys } }, { ask }) => ({
    body: await ask(leaseTimeToLiveContract, present({ lease, keys })),
  }),
});

const keepLease = defineRoute({
  method: 'POST',
  path: '/v1/leases/{lease}:keepalive',
  operation: 'keepLeaseAlive',
  tag: 'store',
  summary: 'Renews a lease to its full time.',
  role: 'operator',
  params: leaseParams,
  query: noQuery,
  body: z.strictObject({}),
  bodyExample: {},
  success: {
    status: 200,
    description: 'The lease and its time.',
    schema: keepAliveContract.reply,
    example: { lease: 'l1', ttlMs: 60_000 },
  },
  errors: ['no_leader', 'lease_not_found'],
  isUnkeyed: true,
  handle: async ({ params: { lease } }, { ask }) => ({
    body: await ask(keepAliveContract, { lease }),
  }),
});

const revokeLease = defineRoute({
  method: 'DELETE',
  path: '/v1/leases/{lease}',
  operation: 'revokeLease',
  tag: 'store',
  summary: 'Ends a lease and deletes the keys under it, in one revision.',
  role: 'operator',
  params: leaseParams,
  query: noQuery,
  success: {
    status: 200,
    description: 'How many keys went with it.',
    schema: revokeLeaseContract.reply,
    example: { revision: 1040, deleted: 2 },
  },
  errors: ['no_leader', 'lease_not_found'],
  handle: async ({ params: { lease } }, { ask }) => ({
    body: await ask(revokeLeaseContract, { lease }),
  }),
});

export const leaseRoutes: readonly Route[] = [
  listLeases,
  grantLease,
  showLease,
  keepLease,
  revokeLease,
];
