// Join tokens: with one, a new host's agent comes in. Shown once, when made; kept as digests.

import {
  createJoinTokenContract,
  idSchema,
  listJoinTokensContract,
  pageOf,
  revokeJoinTokenContract,
} from '@skein/contracts';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { noParams, noQuery, pageQuery, present } from '../http/shapes';

const tokenExample = {
  id: '4kz0w1qd',
  uses: 1,
  usesLeft: 1,
  expiresAt: 1_795_003_600_000,
  created: { request: 'r-91', at: 1_795_000_000_000 },
  state: 'usable' as const,
};

const createJoinToken = defineRoute({
  method: 'POST',
  path: '/v1/join-tokens',
  operation: 'createJoinToken',
  tag: 'hosts',
  summary: 'Makes a token with which hosts can join.',
  description:
    'The answer is the only time that the token is shown: an `Idempotency-Key` is not looked at, as answers to it are kept. A request that is repeated makes another token.',
  role: 'admin',
  params: noParams,
  query: noQuery,
  body: createJoinTokenContract.request,
  bodyExample: { host: 'h4', ttlMs: 3_600_000 },
  isUnkeyed: true,
  success: {
    status: 201,
    description: 'The token.',
    schema: createJoinTokenContract.reply,
    example: {
      ...tokenExample,
      token: 'skein-join-4kz0w1qd-x3yL0Qk2fO8m7y0bq9h5wJz1rVt4uXn6pKc2sDa8eG0',
      revision: 44,
    },
  },
  errors: ['joining_disabled', 'unknown_outcome'],
  handle: async ({ body }, { ask }) => {
    const made = await ask(createJoinTokenContract, present(body));
    return { body: made, location: `/v1/join-tokens/${made.id}` };
  },
});

const listJoinTokens = defineRoute({
  method: 'GET',
  path: '/v1/join-tokens',
  operation: 'listJoinTokens',
  tag: 'hosts',
  summary: 'Join tokens, until a day after they have ended; never their secrets.',
  role: 'viewer',
  params: noParams,
  query: z.strictObject(pageQuery),
  success: {
    status: 200,
    description: 'The tokens.',
    schema: listJoinTokensContract.reply.extend({ cursor: z.string().optional() }),
    example: { tokens: [tokenExample], revision: 44 },
  },
  errors: [],
  handle: async ({ query: { limit = 100, cursor } }, { ask }) => {
    const { tokens, revision } = await ask(listJoinTokensContract, {});
    const { items, ...rest } = pageOf(tokens, ({ id }) => id, { limit, cursor });
    return { body: { tokens: items, ...rest, revision } };
  },
});

const revokeJoinToken = defineRoute({
  method: 'DELETE',
  path: '/v1/join-tokens/{token}',
  operation: 'revokeJoinToken',
  tag: 'hosts',
  summary: 'Ends a join token. Hosts that have joined with it stay.',
  role: 'admin',
  params: z.strictObject({
    token: idSchema.meta({ description: 'Id of a join token.', example: '4kz0w1qd' }),
  }),
  query: noQuery,
  success: {
    status: 200,
    description: 'The revision at which it has ended.',
    schema: revokeJoinTokenContract.reply,
    example: { revision: 45 },
  },
  errors: ['join_token_unknown'],
  handle: async ({ params: { token } }, { ask }) => ({
    body: await ask(revokeJoinTokenContract, { id: token }),
  }),
});

export const joinTokenRoutes: readonly Route[] = [createJoinToken, listJoinTokens, revokeJoinToken];
