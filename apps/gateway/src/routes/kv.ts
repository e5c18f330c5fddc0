// The store as it is, for those who want to look or know what they do.

import {
  compactContract,
  consistencySchema,
  historyContract,
  idSchema,
  maxHistoryRevisions,
  maxKeyBytes,
  rangeContract,
  rangeReplySchema,
  replicaRangeContract,
  SkeinError,
  transactionContract,
  transactionReplySchema,
  transactionRequestSchema,
} from '@skein/contracts';
import { prefixEnd } from '@skein/store';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { maxRevision, noParams, noQuery, present, queryFlag, queryInteger } from '../http/shapes';
import { streamWatch } from '../http/watch-feed';

const keyText = z.string().max(maxKeyBytes);
const spanQuery = {
  key: keyText.optional(),
  prefix: keyText.optional().meta({ description: 'All keys that start with it.' }),
};
const revisionQuery = (description: string) =>
  queryInteger({ min: 1, max: maxRevision }, description).optional();

/** Exactly one of the two says which keys are meant. */
function spanOf({ key, prefix }: { key?: string | undefined; prefix?: string | undefined }) {
  if ((key === undefined) === (prefix === undefined)) {
    throw new SkeinError('invalid_request', "Give either 'key' or 'prefix'", { field: 'key' });
  }
  return prefix === undefined ? { key: key ?? '' } : { key: prefix, prefix: true };
}

const afterAllKeys = '\uffff'.repeat(64);

/** The span, or what of it comes after the cursor. */
function spanAfter(
  cursor: string | undefined,
  isByKey: boolean,
  asked: { key?: string | undefined; prefix?: string | undefined; rangeEnd?: string | undefined },
) {
  const { rangeEnd } = asked;
  const whole = { ...spanOf(asked), ...(rangeEnd === undefined ? {} : { rangeEnd }) };
  if (cursor === undefined) return whole;
  const end = asked.prefix === undefined ? rangeEnd : (prefixEnd(asked.prefix) ?? afterAllKeys);
  if (isByKey && end !== undefined) return { key: `${cursor}\0`, rangeEnd: end };
  throw new SkeinError('invalid_request', 'A cursor goes with a span in the order of its keys', {
    field: 'cursor',
  });
}

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
    ...spanQuery,
    rangeEnd: keyText.optional().meta({ description: 'With `key`: up to this key, exclusive.' }),
    limit: queryInteger({ min: 1, max: 10_000 }, 'Most keys to answer.').optional(),
    cursor: keyText
      .optional()
      .meta({ description: 'From the previous page. Goes with the order by key alone.' }),
    revision: revisionQuery('State as of this revision.'),
    keysOnly: queryFlag('Leave the values out.').optional(),
    countOnly: queryFlag('Answer only how many there are.').optional(),
    sort: z
      .enum(['key', 'version', 'createRevision', 'modRevision', 'value'])
      .optional()
      .meta({ description: 'Default: by key.' }),
    order: z.enum(['ascending', 'descending']).optional(),
    minModRevision: revisionQuery('Only keys changed at this revision or later.'),
    maxModRevision: revisionQuery('Only keys changed at this revision or earlier.'),
    minCreateRevision: revisionQuery('Only keys created at this revision or later.'),
    maxCreateRevision: revisionQuery('Only keys created at this revision or earlier.'),
    consistency: consistencySchema.optional().meta({
      description:
        '`linearizable` (default): as of now. `lease`: the same, from the leader alone while its lease holds. `bounded`: ' +
        'at most `maxStalenessMs` old. `stale`: whatever is there.',
    }),
    maxStalenessMs: queryInteger({ min: 0, max: 3_600_000 }, 'For `bounded`.').optional(),
    replica: idSchema.optional().meta({ description: 'Ask this replica instead of the leader.' }),
  }),
  success: {
    status: 200,
    description:
      'Keys in order; `more` if the limit cut them off, with `cursor` where the order lets one go on. Ask for the next page with ' +
      'the `revision` of the first to see one moment.',
    schema: rangeReplySchema.extend({ cursor: z.string().optional() }),
    example: { revision: 21, kvs: [kvExample], count: 1, more: false },
  },
  errors: [
    'no_leader',
    'revision_compacted',
    'revision_future',
    'key_invalid',
    'too_stale',
    'member_not_found',
  ],
  handle: async ({ query }, { ask }) => {
    const { key, prefix, limit = 1_000, sort, order, cursor, replica, ...rest } = query;
    const isByKey = (sort ?? 'key') === 'key' && (order ?? 'ascending') === 'ascending';
    const asked = {
      ...spanAfter(cursor, isByKey, { key, prefix, rangeEnd: rest.rangeEnd }),
      limit,
      ...present(rest),
      ...(sort === undefined && order === undefined
        ? {}
        : { sort: { by: sort ?? 'key', order: order ?? 'ascending' } }),
    };
    const reply =
      replica === undefined
        ? await ask(rangeContract, asked)
        : await ask(replicaRangeContract, asked, { instance: replica });
    const last = reply.kvs.at(-1);
    const goesOn = reply.more && isByKey && last !== undefined;
    return { body: { ...reply, ...(goesOn ? { cursor: last.key } : {}) } };
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
  errors: ['key_invalid', 'key_not_found', 'lease_not_found', 'no_space', 'version_unsupported'],
  handle: async ({ body }, { ask }) => ({ body: await ask(transactionContract, body) }),
});

const compact = defineRoute({
  method: 'POST',
  path: '/v1/kv:compact',
  operation: 'compact',
  tag: 'store',
  summary: 'Drops the history up to a revision. What is live stays.',
  role: 'admin',
  params: noParams,
  query: noQuery,
  body: compactContract.request,
  bodyExample: { revision: 20 },
  success: {
    status: 200,
    description: 'The revision of the store, and up to where its history is gone.',
    schema: compactContract.reply,
    example: { revision: 22, compactRevision: 20 },
  },
  errors: ['no_leader', 'revision_compacted', 'revision_future'],
  isUnkeyed: true,
  handle: async ({ body }, { ask }) => ({ body: await ask(compactContract, body) }),
});

const keyHistory = defineRoute({
  method: 'GET',
  path: '/v1/kv/history',
  operation: 'keyHistory',
  tag: 'store',
  summary: 'Past changes of one key, or of all keys with a prefix, oldest first.',
  role: 'viewer',
  params: noParams,
  query: z.strictObject({
    ...spanQuery,
    from: revisionQuery('First revision of interest; absent: the oldest that is kept.'),
    limit: queryInteger({ min: 1, max: maxHistoryRevisions }, 'Most revisions.').optional(),
    previous: queryFlag('Show what was replaced too.').optional(),
  }),
  success: {
    status: 200,
    description: 'The revisions, and where to go on if there are more.',
    schema: historyContract.reply,
    example: {
      revision: 21,
      compactRevision: 3,
      revisions: [
        { revision: 18, at: 1_795_000_000_000, events: [{ type: 'put', kv: kvExample }] },
      ],
    },
  },
  errors: ['no_leader', 'revision_compacted', 'revision_future', 'key_invalid'],
  handle: async ({ query: { key, prefix, from, ...rest } }, { ask }) => ({
    body: await ask(historyContract, {
      ...spanOf({ key, prefix }),
      ...present({ fromRevision: from, ...rest }),
    }),
  }),
});

const watchKeys = defineRoute({
  method: 'GET',
  path: '/v1/kv/watch',
  operation: 'watchKeys',
  tag: 'store',
  summary: 'What happens to a key, or to all keys with a prefix, as it happens.',
  description:
    'Server-sent events: `opened` with the store’s revision, then `revision` for each revision that changes the span, with all ' +
    'of its events; `progress` if asked for; `compacted` if the watch fell behind what is kept. `id` is the revision; ' +
    '`Last-Event-ID` goes on after it. A reader that does not keep up is let go of, with `cutoff` as its last event.',
  role: 'viewer',
  params: noParams,
  query: z.strictObject({
    ...spanQuery,
    from: revisionQuery('First revision to send. Absent: what comes from now on.'),
    previous: queryFlag('Send what was replaced too.').optional(),
    progress: queryFlag('Say how far the watch is while nothing happens.').optional(),
    filter: z
      .enum(['noput', 'nodelete'])
      .optional()
      .meta({ description: 'Leave puts, or deletes, out.' }),
  }),
  success: {
    status: 200,
    description: 'A stream.',
    mediaType: 'text/event-stream',
    schema: z.string(),
    example: 'event: revision\nid: 18\ndata: {"revision":18,"at":1795000000000,"events":[]}\n\n',
  },
  errors: ['no_leader', 'revision_compacted', 'key_invalid'],
  handle: () => Promise.reject(new Error('a watch is streamed')),
  stream: ({ query: { key, prefix, from, filter, ...rest } }, context) => {
    spanOf({ key, prefix });
    return streamWatch(
      {
        ...present({ key, prefix, ...rest }),
        fromRevision: resumeRevision(context.lastEventId) ?? from,
        ...(filter === undefined ? {} : { filters: [filter] }),
      },
      context,
    );
  },
});

function resumeRevision(lastEventId: string | undefined): number | undefined {
  if (lastEventId === undefined || lastEventId === '') return undefined;
  if (/^\d{1,15}$/.test(lastEventId)) return Number(lastEventId) + 1;
  throw new SkeinError('invalid_request', 'Last-Event-ID is a revision', {
    field: 'Last-Event-ID',
  });
}

export const kvRoutes: readonly Route[] = [readKeys, transaction, compact, keyHistory, watchKeys];
