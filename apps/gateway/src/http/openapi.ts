// The OpenAPI 3.1 document, made from the same schemas that validate. Built when it is first asked for: zod-openapi is loaded
// then and not before.

import { errorCodes, type ErrorCode } from '@skein/contracts';
import { z } from 'zod';
import type { oas31, ZodOpenApiOperationObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import { problemSchema, problemType } from './problem';
import type { Route } from './route';

/** What any route can answer, whatever it does. */
const alwaysPossible: readonly ErrorCode[] = [
  'invalid_request',
  'headers_too_large',
  'request_timeout',
  'unauthenticated',
  'forbidden',
  'overloaded',
  'unavailable',
  'no_leader',
  'deadline_exceeded',
  'internal',
];
const withBody: readonly ErrorCode[] = [
  'malformed_json',
  'payload_too_large',
  'unsupported_media_type',
];
const onPost: readonly ErrorCode[] = ['idempotency_key_reused', 'unknown_outcome'];

export async function openApiDocument(routes: readonly Route[]): Promise<oas31.OpenAPIObject> {
  const { createDocument } = await import('zod-openapi');
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    const operations = (paths[route.path] ??= {});
    operations[route.method.toLowerCase()] = operationOf(route);
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Skein',
      version: '1',
      description:
        'Overlay networks that span container hosts. A name or an id serves wherever one is asked for. ' +
        'Times are milliseconds since the epoch. Errors are problem+json; /docs/errors explains each code.',
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Roles: viewer, operator, admin.' },
      },
    },
  });
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const { success } = route;
  return {
    operationId: route.operation,
    tags: [route.tag],
    summary: route.summary,
    description: `${route.description ?? route.summary} Needs the role \`${route.role}\`.`,
    requestParams: {
      path: route.params as z.ZodObject,
      query: route.query as z.ZodObject,
      header: headersOf(route),
    },
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: route.body,
                ...(route.bodyExample === undefined ? {} : { example: route.bodyExample }),
              },
            },
          },
        }),
    responses: {
      [String(success.status)]: {
        description: success.description,
        content: {
          [success.mediaType ?? 'application/json']: {
            schema: success.schema,
            example: success.example,
          },
        },
      },
      ...(route.isStill === true
        ? { 304: { description: '`If-None-Match` names what it is.' } }
        : {}),
      ...problemReplies(errorsOf(route)),
    },
  };
}

function headersOf(route: Route): z.ZodObject {
  const requestId = z.string().optional().meta({ description: 'Echoed, and found in all logs.' });
  const ifMatch = z
    .string()
    .optional()
    .meta({ description: 'ETag that the resource must still have.' });
  const key = z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: 'The same key and request are carried out once, for 24 hours.' });
  return z.object({
    'X-Request-Id': requestId,
    ...(route.method === 'POST' && route.isUnkeyed !== true ? { 'Idempotency-Key': key } : {}),
    ...(route.errors.includes('precondition_failed') ? { 'If-Match': ifMatch } : {}),
  });
}

export function errorsOf(route: Route): ErrorCode[] {
  return [
    ...new Set([
      ...route.errors,
      ...alwaysPossible,
      // A body is read before it is known that there should be none.
      ...(route.method === 'GET' ? [] : withBody),
      ...(route.method === 'POST' && route.isUnkeyed !== true ? onPost : []),
    ]),
  ];
}

function problemReplies(codes: readonly ErrorCode[]): ZodOpenApiResponsesObject {
  const byStatus = new Map<string, ErrorCode[]>();
  for (const code of codes) {
    const status = String(errorCodes[code].status);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const replies = [...byStatus].map(([status, some]) => [
    status,
    {
      description: some.map((code) => `\`${code}\`: ${errorCodes[code].title}.`).join(' '),
      content: {
        'application/problem+json': {
          schema: problemSchema,
          examples: Object.fromEntries(some.map((code) => [code, { value: exampleOf(code) }])),
        },
      },
    },
  ]);
  return Object.fromEntries(replies) as ZodOpenApiResponsesObject;
}

function exampleOf(code: ErrorCode): object {
  const { title, status } = errorCodes[code];
  return { type: problemType(code), title, status, code, detail: title };
}
