// Which hosts reach which inside the overlay, and what passes between them.

import { reachabilityContract, trafficContract } from '@skein/contracts';
import { defineRoute, type Route } from '../http/route';
import { noParams, noQuery } from '../http/shapes';

const getReachability = defineRoute({
  method: 'GET',
  path: '/v1/reachability',
  operation: 'getReachability',
  tag: 'hosts',
  summary: 'Which hosts reach which inside the overlay, tried with frames of full size.',
  role: 'viewer',
  params: noParams,
  query: noQuery,
  success: {
    status: 200,
    description: 'Each pair that shares a network, by the worst of its networks.',
    schema: reachabilityContract.reply,
    example: {
      revision: 21,
      hosts: [
        { id: 'h1', name: 'h1', state: 'up' as const },
        { id: 'h2', name: 'h2', state: 'up' as const },
      ],
      pairs: [
        { from: 'h1', to: 'h2', network: 'web', state: 'ok' as const, rttMs: 0.31 },
        { from: 'h2', to: 'h1', network: 'web', state: 'small' as const, rttMs: 0.29 },
      ],
    },
  },
  errors: [],
  handle: async (_request, { ask }) => ({ body: await ask(reachabilityContract, {}) }),
});

const getTraffic = defineRoute({
  method: 'GET',
  path: '/v1/traffic',
  operation: 'getTraffic',
  tag: 'hosts',
  summary:
    'What passes between hosts inside the overlay, counted where it arrives; read from the kernels when asked.',
  role: 'viewer',
  params: noParams,
  query: noQuery,
  success: {
    status: 200,
    description: 'One counter for each network and direction; a rate follows from two answers.',
    schema: trafficContract.reply,
    example: {
      revision: 21,
      silent: [],
      ways: [{ from: 'h1', to: 'h2', networkId: 'n1', frames: 812, bytes: 96_400, at: 51_200 }],
    },
  },
  errors: [],
  handle: async (_request, { ask }) => ({ body: await ask(trafficContract, {}) }),
});

export const reachabilityRoutes: readonly Route[] = [getReachability, getTraffic];
