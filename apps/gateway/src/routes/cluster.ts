// The consensus group as its leader sees it, and who leads.

import {
  clusterStatusContract,
  clusterStatusSchema,
  idSchema,
  transferLeadershipContract,
} from '@skein/contracts';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { noParams, noQuery, present } from '../http/shapes';

/** An election takes less; who asks for the state of the cluster wants to hear soon that there is no leader. */
const statusTimeoutMs = 2_000;

const getCluster = defineRoute({
  method: 'GET',
  path: '/v1/cluster',
  operation: 'getCluster',
  tag: 'cluster',
  summary: 'The consensus group as its leader sees it.',
  role: 'viewer',
  params: noParams,
  query: noQuery,
  success: {
    status: 200,
    description: 'The cluster.',
    schema: clusterStatusSchema.meta({ id: 'Cluster' }),
    example: {
      clusterId: 'c-7d1f',
      replicaId: 'm1',
      leaderId: 'm1',
      term: 4,
      role: 'leader',
      lastIndex: 1042,
      commitIndex: 1042,
      appliedIndex: 1042,
      revision: 1031,
      members: [{ id: 'm1', role: 'leader', matchIndex: 1042, lag: 0, healthy: true }],
    },
  },
  errors: ['no_leader'],
  handle: async (_request, { ask }) => ({
    body: await ask(clusterStatusContract, {}, { timeoutMs: statusTimeoutMs }),
  }),
});

const transferLeadership = defineRoute({
  method: 'POST',
  path: '/v1/cluster/leader',
  operation: 'transferLeadership',
  tag: 'cluster',
  summary: 'Hands leadership to another member, or to the one furthest ahead.',
  role: 'admin',
  params: noParams,
  query: noQuery,
  body: z.strictObject({ to: idSchema.optional() }),
  bodyExample: { to: 'm2' },
  success: {
    status: 200,
    description: 'Who led, who leads, and since which term.',
    schema: z.object({ from: idSchema, to: idSchema, term: z.int() }),
    example: { from: 'm1', to: 'm2', term: 5 },
  },
  errors: ['no_leader', 'not_leader'],
  handle: async ({ body }, { ask }) => ({
    body: await ask(transferLeadershipContract, present(body)),
  }),
});

export const clusterRoutes: readonly Route[] = [getCluster, transferLeadership];
