// Tokens for people and programs: made, listed, revoked. Those that the gateway was configured with are not among them.

import {
  accessRequestSchema,
  accessViewSchema,
  idSchema,
  pageOf,
  revisionSchema,
} from '@skein/contracts';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { noParams, noQuery, pageQuery } from '../http/shapes';

const tokenExample = {
  id: 'k7q2mzra',
  name: 'ci',
  role: 'operator' as const,
  created: { request: 'cli-8c2', at: 1_795_000_000_000 },
  by: 'local',
  expiresAt: 1_795_086_400_000,
  state: 'usable' as const,
};

const createToken = defineRoute({
  method: 'POST',
  path: '/v1/tokens',
  operation: 'createToken',
  tag: 'tokens',
  summary: 'Makes a token with a role.',
  description:
    'The answer is the only time that the token is shown; what is kept is a digest. An `Idempotency-Key` is not looked at, as ' +
    'answers to it are kept: a request that is repeated makes another token.',
  role: 'admin',
  params: noParams,
  query: noQuery,
  body: accessRequestSchema,
  bodyExample: { name: 'ci', role: 'operator', ttlMs: 86_400_000 },
  isUnkeyed: true,
  success: {
    status: 201,
    description: 'The token.',
    schema: accessViewSchema.extend({ token: z.string(), revision: revisionSchema }),
    example: {
      ...tokenExample,
      token: 'skein-k7q2mzra-x3yL0Qk2fO8m7y0bq9h5wJz1rVt4uXn6pKc2sDa8eG0',
      revision: 44,
    },
  },
  errors: ['tokens_exhausted', 'no_leader', 'no_space', 'unknown_outcome'],
  handle: async ({ body }, { tokens, caller, requestId }) => {
    const made = await tokens.create(body, { name: caller.name, requestId });
    return { body: made, location: `/v1/tokens/${made.id}` };
  },
});

const listTokens = defineRoute({
  method: 'GET',
  path: '/v1/tokens',
  operation: 'listTokens',
  tag: 'tokens',
  summary:
    'Tokens that were made, with their roles and when each was last used; never their secrets.',
  role: 'viewer',
  params: noParams,
  query: z.strictObject(pageQuery),
  success: {
    status: 200,
    description: 'One page; `cursor` is there if more follow.',
    schema: z.object({
      tokens: z.array(accessViewSchema),
      cursor: z.string().optional(),
      revision: revisionSchema,
    }),
    example: { tokens: [tokenExample], revision: 44 },
  },
  errors: ['no_leader'],
  handle: async ({ query: { limit = 100, cursor } }, { tokens }) => {
    const { tokens: all, revision } = await tokens.list();
    const { items, ...rest } = pageOf(all, ({ id }) => id, { limit, cursor });
    return { body: { tokens: items, ...rest, revision } };
  },
});

const revokeToken = defineRoute({
  method: 'DELETE',
  path: '/v1/tokens/{token}',
  operation: 'revokeToken',
  tag: 'tokens',
  summary: 'Ends a token at once.',
  role: 'admin',
  params: z.strictObject({
    token: idSchema.meta({ description: 'Id of a token.', example: 'k7q2mzra' }),
  }),
  query: noQuery,
  success: {
    status: 200,
    description: 'The revision at which it has ended.',
    schema: z.object({ revision: revisionSchema }),
    example: { revision: 45 },
  },
  errors: ['token_not_found', 'no_leader', 'unknown_outcome'],
  handle: async ({ params: { token } }, { tokens }) => ({ body: await tokens.revoke(token) }),
});

export const tokenRoutes: readonly Route[] = [createToken, listTokens, revokeToken];
