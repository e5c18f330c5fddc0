// The store as it is, for those who want to look or know what they do.

import {
  maxKeyBytes,
  rangeContract,
  rangeReplySchema,
  SkeinError,
  transactionContract,
  transactionReplySchema,
  transactionRequestSchema,
} from '@skein/contracts';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { maxRevision, noParams, noQuery, queryInteger } from '../http/shapes';

const kvExample = {
  key: '/skein/network-name/web',
  value: 'n-3f9a',
  createRevision: 18,
  modRevision: 18,
  version: 1,
};

const readKeys = defineRoute({
  method: 'GET',
  path: '/v1/kv',
  operation: 'readKeys',
  tag: 'store',
  summary: 'Reads one key, or all keys with a prefix.',
  role: 'viewer',
  params: noParams,
  query: z.strictObject({
    key: z.string().max(maxKeyBytes).optional(),
    prefix: z.string().max(maxKeyBytes).optional(),
    limit: queryInteger({ min: 1, max: 10_000 }, 'Most keys to answer.').optional(),
    revision: queryInteger({ min: 1, max: maxRevision }, 'State as of this revision.').optional(),
  }),
  success: {
    status: 200,
    description: 'Keys in order; `more` if the limit cut them off.',
    schema: rangeReplySchema,
    example: { revision: 21, kvs: [kvExample], count: 1, more: false },
  },
  errors: ['no_leader', 'revision_compacted', 'revision_future', 'key_invalid'],
  handle: async ({ query: { key, prefix, limit = 1_000, revision } }, { ask }) => {
    if ((key === undefined) === (prefix === undefined)) {
      throw new SkeinError('invalid_request', "Give either 'key' or 'prefix'", { field: 'key' });
    }
    const span = prefix === undefined ? { key: key ?? '' } : { key: prefix, prefix: true };
    return {
      body: await ask(rangeContract, {
        ...span,
        limit,
        ...(revision === undefined ? {} : { revision }),
      }),
    };
  },
});

const transaction = defineRoute({
  method: 'POST',
  path: '/v1/kv/txn',
  operation: 'transaction',
  tag: 'store',
  summary: 'Compares, then writes and reads, as one step with one revision.',
  role: 'admin',
  params: noParams,
  query: noQuery,
  body: transactionRequestSchema.omit({ once: true }),
  bodyExample: {
    compare: [{ key: 'greeting', target: 'version', operator: '=', value: 0 }],
    success: [{ type: 'put', key: 'greeting', value: 'hello' }],
    failure: [{ type: 'range', key: 'greeting' }],
  },
  success: {
    status: 200,
    description: 'Which branch ran, and what its operations answered.',
    schema: transactionReplySchema,
    example: { succeeded: true, revision: 22, results: [{ type: 'put' }] },
  },
  errors: ['key_invalid', 'lease_not_found', 'not_leader'],
  handle: async ({ body }, { ask }) => ({ body: await ask(transactionContract, body) }),
});

export const kvRoutes: readonly Route[] = [readKeys, transaction];
