// Hangs the table of routes into Fastify: for each, in this order, the token, the role, the shape of the request, the
// idempotency key, the handler, the answer's headers. Knows no particular route.

import { SkeinError } from '@skein/contracts';
import { parseBody, type Messenger } from '@skein/messaging';
import type { Meter } from '@skein/metrics';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AttachGatherer } from './attach-gatherer';
import {
  demandTag,
  etag,
  etags,
  nameHeader,
  preconditionOf,
  refuseIdlePrecondition,
} from './etags';
import type { Idempotency, KeyedRequest } from './idempotency';
import { measureAttach } from './metrics';
import type { Route, RouteContext, RouteReply } from './route';
import type { TokenBook } from './token-book';
import { authorize, type Authenticate, type Caller } from './tokens';

export interface RouterParts {
  readonly messenger: Pick<Messenger, 'request'>;
  readonly authenticate: Authenticate;
  readonly idempotency: Idempotency;
  readonly attaches: AttachGatherer;
  readonly tokens: TokenBook;
  readonly meter: Meter;
}

const callers = new WeakMap<FastifyRequest, Caller>();

/** Who asks; undefined where nobody had to say. */
export function callerOf(request: FastifyRequest): Caller | undefined {
  return callers.get(request);
}

export function mountRoutes(
  fastify: FastifyInstance,
  routes: readonly Route[],
  parts: RouterParts,
): void {
  for (const route of routes) {
    fastify.route({
      method: route.method,
      url: fastifyPath(route.path),
      onRequest: (request, _reply, done) => {
        admit(request, route, parts.authenticate);
        done();
      },
      handler: (request, reply) => serve(route, parts, request, reply),
    });
  }
}

/** Before the body is read: who nobody knows sends us no megabytes. */
export function admit(
  request: FastifyRequest,
  route: Pick<Route, 'role'>,
  authenticate: Authenticate,
): void {
  const caller = authenticate(request.headers.authorization);
  authorize(caller, route.role);
  callers.set(request, caller);
}

async function serve(
  route: Route,
  parts: RouterParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const parsed = {
    params: parseBody(route.params, request.params, 'The path'),
    query: parseBody(route.query, request.query, 'The query'),
    body: parsedBody(route, request),
  };
  refuseIdlePrecondition(route, request);
  const keyed = keyedRequest(route, request);
  const context = routeContext(parts, request, keyed);
  const answer = async (): Promise<StoredAnswer> => {
    const made = await route.handle(parsed, context).catch(nameHeader);
    if (made.isReplayed === true) void reply.header('idempotency-replayed', 'true');
    return storedAnswer(route, made);
  };
  if (keyed === undefined || route.commitsKey === true) {
    return send(reply, request, { route, answer: await answer() });
  }
  const { stored, replayed } = await parts.idempotency.once(keyed, answer);
  if (replayed) void reply.header('idempotency-replayed', 'true');
  return send(reply, request, { route, answer: stored });
}

function keyedRequest(route: Route, request: FastifyRequest): KeyedRequest | undefined {
  const key = idempotencyKey(route, request);
  if (key === undefined) return undefined;
  const caller = callers.get(request)?.id ?? '';
  const fingerprint = `${request.method} ${request.url}\n${JSON.stringify(request.body ?? null)}`;
  return { key, caller, requestId: request.id, fingerprint };
}

function parsedBody(route: Route, request: FastifyRequest): unknown {
  const { body = {} } = request;
  if (route.body !== undefined) return parseBody(route.body, body, 'The body');
  if (typeof body === 'object' && body !== null && Object.keys(body).length === 0) return undefined;
  throw new SkeinError('invalid_request', 'This request takes no body');
}

export function routeContext(
  { messenger, attaches, idempotency, tokens, meter }: Omit<RouterParts, 'authenticate'>,
  request: FastifyRequest,
  keyed?: KeyedRequest,
): RouteContext {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error('a route was reached by nobody');
  return {
    requestId: request.id,
    caller,
    tokens,
    ask: (contract, body, options) =>
      messenger.request(contract, body, { requestId: request.id, ...options }),
    attach: (network, endpoint, waitMs) => {
      const attach = { network, endpoint, waitMs, requestId: request.id };
      const attached =
        keyed === undefined
          ? attaches.attach(attach)
          : idempotency.committing(keyed, (once) => attaches.attach({ ...attach, once }));
      return measureAttach(meter, attached);
    },
    precondition: preconditionOf(request.headers['if-match']),
  };
}

/** What is kept of an answer, so that it can be given again. */
export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

function storedAnswer(route: Route, made: RouteReply): StoredAnswer {
  return {
    status: route.success.status,
    headers: {
      ...(made.location === undefined ? {} : { location: made.location }),
      ...(made.revision === undefined ? {} : { etag: etag(made.revision) }),
    },
    body: made.body,
  };
}

function send(
  reply: FastifyReply,
  request: FastifyRequest,
  { route, answer }: { route: Route; answer: StoredAnswer },
): FastifyReply {
  void reply.headers(answer.headers);
  const current = answer.headers['etag'];
  if (request.method === 'GET' && current !== undefined) {
    demandTag(request.headers['if-match'], current);
    const known = request.headers['if-none-match'];
    const isKnown = known !== undefined && etags(known).some((each) => each === current);
    if (route.isStill === true && isKnown) return reply.code(304).send();
  }
  const contentType =
    answer.status < 400
      ? 'application/json; charset=utf-8'
      : 'application/problem+json; charset=utf-8';
  return reply.code(answer.status).type(contentType).send(JSON.stringify(answer.body));
}

function idempotencyKey(route: Route, request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined || route.method !== 'POST' || route.isUnkeyed === true) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new SkeinError('invalid_request', 'An Idempotency-Key has 1–255 visible ASCII characters', {
    field: 'Idempotency-Key',
  });
}

/**
 * `{name}` becomes `:name`; a colon of the path itself is doubled, as find-my-way wants it. A parameter with a verb behind it
 * gets a pattern, without which the verb would be taken for a part of its name; a line break is part of it as well.
 */
export function fastifyPath(path: string): string {
  return path
    .replaceAll(':', '::')
    .replace(/\{(\w+)\}(?=:)/g, ':$1([^]+)')
    .replace(/\{(\w+)\}/g, ':$1');
}
