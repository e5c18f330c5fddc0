// What can be explained: an address now and earlier, the way between two endpoints, and past events. The event stream's live
// half is in http/event-feed.ts.

import {
  addressHistoryContract,
  addressSchema,
  eventsContract,
  explainContract,
  referenceSchema,
  SkeinError,
} from '@skein/contracts';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { maxRevision, networkParam, noParams, present, queryInteger } from '../http/shapes';

const holdingExample = {
  address: '10.1.0.2',
  networkId: 'n-3f9a',
  network: 'web',
  kind: 'endpoint',
  endpointId: 'e-5f2c1a',
  endpointName: 'a',
  host: 'h1',
  request: 'cli-8c3',
  since: 1_795_000_000_000,
  sinceRevision: 19,
};

/** Digits are a revision; anything else must be an RFC 3339 time with its offset. */
export function parseAt(text: string): { atRevision: number } | { atTime: number } {
  if (/^\d{1,15}$/.test(text)) return { atRevision: Number(text) };
  const isTime = z.iso.datetime({ offset: true }).safeParse(text).success;
  if (isTime) return { atTime: Date.parse(text) };
  throw new SkeinError(
    'invalid_request',
    `'${text}' is neither a revision nor a time as in 2026-11-22T18:30:00Z`,
    { field: 'at' },
  );
}

const showAddress = defineRoute({
  method: 'GET',
  path: '/v1/addresses/{address}',
  operation: 'showAddress',
  tag: 'history',
  summary: 'Who holds an address, since when and by which request, and who held it before.',
  role: 'viewer',
  params: z.strictObject({ address: addressSchema.meta({ example: '10.1.0.2' }) }),
  query: z.strictObject({
    network: networkParam.optional(),
    at: z
      .string()
      .min(1)
      .max(40)
      .optional()
      .meta({ description: 'A revision, or an RFC 3339 time; absent: now.', example: '19' }),
  }),
  success: {
    status: 200,
    description: 'One holder a network, and the past ones, latest first.',
    schema: addressHistoryContract.reply,
    example: { address: '10.1.0.2', revision: 21, holders: [holdingExample], past: [] },
  },
  errors: [
    'precondition_failed',
    'address_not_found',
    'network_not_found',
    'revision_future',
    'revision_compacted',
  ],
  handle: async ({ params: { address }, query: { network, at } }, { ask }) => {
    const body = await ask(addressHistoryContract, {
      address,
      ...(network === undefined ? {} : { network }),
      ...(at === undefined ? {} : parseAt(at)),
    });
    return { body, revision: body.revision };
  },
});

const explain = defineRoute({
  method: 'GET',
  path: '/v1/explain',
  operation: 'explain',
  tag: 'history',
  summary:
    'Each step of the way from one endpoint to another: what is committed, what is programmed.',
  role: 'viewer',
  params: noParams,
  query: z.strictObject({ network: networkParam, from: referenceSchema, to: referenceSchema }),
  success: {
    status: 200,
    description: 'The steps in order; `ok` says whether all of them hold.',
    schema: explainContract.reply,
    example: {
      revision: 21,
      ok: true,
      steps: [{ step: 'endpoint a', ok: true, detail: 'live on h1', facts: {} }],
    },
  },
  errors: ['network_not_found', 'endpoint_not_found'],
  handle: async ({ query }, { ask }) => ({ body: await ask(explainContract, query) }),
});

export const eventsQuery = z.strictObject({
  from: queryInteger(
    { min: 0, max: maxRevision },
    'First revision to send. Absent: what comes from now on. `Last-Event-ID` wins over it.',
  ).optional(),
  prefix: z
    .string()
    .max(64)
    .optional()
    .meta({ description: "Of the event's type: `host.` takes all of hosts." }),
  limit: queryInteger({ min: 1, max: 1_000 }, 'Most events of one page of JSON.').optional(),
});

const streamEvents = defineRoute({
  method: 'GET',
  path: '/v1/events',
  operation: 'streamEvents',
  tag: 'history',
  summary: 'Past events from a revision on, then live.',
  description:
    'Server-sent events: past ones from a revision on, then live. `id` is the revision, on the last event of each; ' +
    '`Last-Event-ID` resumes after it. A reader that does not keep up is let go of: its last event is `cutoff`, with the reason; ' +
    'it has missed nothing when it resumes. Who accepts only `application/json` gets one page of past events instead.',
  role: 'viewer',
  params: noParams,
  query: eventsQuery,
  success: {
    status: 200,
    description: 'A stream, each event as JSON in `data`.',
    mediaType: 'text/event-stream',
    schema: z.string(),
    example:
      'id: 18\ndata: {"revision":18,"position":0,"at":1795000000000,"type":"network.created","subject":"n-3f9a","body":{}}\n\n',
  },
  errors: ['revision_compacted', 'revision_future'],
  handle: async ({ query: { from = 0, ...rest } }, { ask }) => ({
    body: await ask(eventsContract, { from, ...present(rest) }),
  }),
});

export const historyRoutes: readonly Route[] = [showAddress, explain, streamEvents];
