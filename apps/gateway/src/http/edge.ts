// Everything that HTTP means here: request ids, JSON bodies, problems, the routes of the table, the open pages, the event
// stream. It is mounted on the Fastify instance that Nest made; what lies behind the routes it does not know.

import { SkeinError, type ErrorHelp } from '@skein/contracts';
import { parseBody, type Tracing } from '@skein/messaging';
import type { PrometheusMeter } from '@skein/metrics';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { eventsQuery } from '../routes/history';
import { mountDashboard } from './dashboard';
import { checkReadiness } from './readiness';
import { demandSize, limitRates } from './limits';
import type { EventFeed } from './event-feed';
import type { Store } from '@skein/store-client';
import { measureRequests } from './metrics';
import { followRequests } from './traces';
import { openApiDocument } from './openapi';
import { errorsPage, homePage, operationsPage } from './pages';
import { problemContentType, toProblem, toSkeinError } from './problem';
import type { Route } from './route';
import {
  admit,
  callerOf,
  fastifyPath,
  mountRoutes,
  routeContext,
  type RouterParts,
} from './router';
import { parseJson } from './json';
import { demandHost } from './unreadable';

/** Requests that are being answered at once; event streams count too. */
export const maxConcurrent = 4_096;

export interface EdgeParts extends Omit<RouterParts, 'messenger'> {
  readonly messenger: RouterParts['messenger'] & { readonly connected: boolean };
  readonly routes: readonly Route[];
  readonly events: EventFeed;
  readonly requestsPerSecond: number;
  /** Opens watches for readers of the store. */
  readonly store: Pick<Store, 'watch'>;
  readonly meter: PrometheusMeter;
  /** Where requests are followed. */
  readonly tracing: Tracing | undefined;
  readonly errorHelp: () => readonly ErrorHelp[];
  /** Folder of the built page, if there is one. */
  readonly dashboard: string | undefined;
  readonly warn: (facts: object, message: string) => void;
  readonly inform: (facts: object, message: string) => void;
}

export function mountEdge(fastify: FastifyInstance, parts: EdgeParts): void {
  limitConcurrency(fastify);
  measureRequests(fastify, parts.meter);
  if (parts.tracing !== undefined) followRequests(fastify, parts.tracing, parts.routes);
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    demandHost(request.raw);
    done();
  });
  // A scope of its own, so that Nest's handlers and parsers for everything else stay as they are.
  void fastify.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/json',
      { parseAs: 'string' },
      (request, text, parsed) => {
        try {
          demandSize(callerOf(request), Buffer.byteLength(text));
          parsed(null, parseJson(text as string));
        } catch (thrown) {
          parsed(thrown as Error);
        }
      },
    );
    scope.setErrorHandler((error: FastifyError, request, reply) =>
      sendProblem(parts, error, request, reply),
    );
    scope.addHook('onSend', (request, reply, _payload, next) => {
      if (request.url.startsWith('/v1/')) void reply.header('cache-control', 'no-store');
      next();
    });
    limitRates(scope, { requestsPerSecond: parts.requestsPerSecond, callerOf });
    scope.after(() => mountAll(scope, parts));
    done();
  });
}

function mountAll(scope: FastifyInstance, parts: EdgeParts): void {
  tellWrites(scope, parts);
  mountOpen(scope, parts);
  const stream = parts.routes.find((route) => route.operation === 'streamEvents');
  if (stream !== undefined) mountEvents(scope, stream, parts);
  for (const route of parts.routes)
    if (route.stream !== undefined) mountStream(scope, route, parts);
  mountRoutes(
    scope,
    parts.routes.filter((route) => route !== stream && route.stream === undefined),
    parts,
  );
}

export function sendProblem(
  parts: Pick<EdgeParts, 'warn' | 'routes'>,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const error = refine(parts.routes, toSkeinError(thrown), request, reply);
  if (error.code === 'internal') {
    parts.warn({ err: error.cause ?? error, requestId: request.id }, 'request failed');
  }
  if (error.code === 'unauthenticated')
    void reply.header('www-authenticate', 'Bearer realm="skein"');
  if (error.retryable) void reply.header('retry-after', '1');
  const problem = toProblem(error, request.id);
  return reply.code(problem.status).type(problemContentType).send(JSON.stringify(problem));
}

/** A path that exists, asked with another method, is told so. */
function refine(
  routes: readonly Route[],
  error: SkeinError,
  request: FastifyRequest,
  reply: FastifyReply,
): SkeinError {
  if (error.code !== 'route_not_found') return error;
  const path = request.url.split('?')[0] ?? '';
  const allowed = methodsOf(routes, path);
  if (allowed.length === 0) return new SkeinError('route_not_found', `There is nothing at ${path}`);
  void reply.header('allow', allowed.join(', '));
  return new SkeinError('method_not_allowed', `${path} takes ${allowed.join(', ')}`, {
    facts: { allowed },
  });
}

export function methodsOf(routes: readonly Route[], path: string): string[] {
  const matching = routes.filter((route) => {
    const pattern = route.path.replace(/[.:]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+');
    return new RegExp(`^${pattern}$`).test(path);
  });
  const exact = matching.filter((route) => route.path.includes(':') === path.includes(':'));
  return [...new Set(exact.map((route) => route.method))];
}

function limitConcurrency(fastify: FastifyInstance): void {
  let running = 0;
  const counted = new WeakSet<FastifyRequest>();
  const leave = (request: FastifyRequest): void => {
    if (counted.delete(request)) running -= 1;
  };
  fastify.addHook('onRequest', (request, reply, done) => {
    if (running >= maxConcurrent) {
      done(new SkeinError('overloaded', `The gateway answers ${maxConcurrent} requests already`));
      return;
    }
    running += 1;
    counted.add(request);
    reply.raw.once('close', () => leave(request));
    done();
  });
}

/** Who asked for which change, and what came of it: one line each, under the id that all services' logs have. */
function tellWrites(scope: FastifyInstance, { inform }: EdgeParts): void {
  scope.addHook('onResponse', (request, reply, done) => {
    if (request.method !== 'GET') {
      const { id: requestId, method, url } = request;
      const path = url.split('?')[0];
      const { name: caller } = callerOf(request) ?? {};
      const ms = Math.round(reply.elapsedTime * 10) / 10;
      inform({ requestId, method, path, status: reply.statusCode, caller, ms }, 'asked for');
    }
    done();
  });
}

function mountOpen(scope: FastifyInstance, parts: EdgeParts): void {
  const html = (text: string) => (_request: FastifyRequest, reply: FastifyReply) =>
    reply.type('text/html; charset=utf-8').send(text);
  if (parts.dashboard === undefined) scope.get('/', html(homePage()));
  else mountDashboard(scope, parts.dashboard);
  scope.get('/docs', html(operationsPage(parts.routes)));
  scope.get('/docs/errors', (request, reply) =>
    html(errorsPage(parts.errorHelp()))(request, reply),
  );
  scope.get('/openapi.json', async (_request, reply) => {
    const document = await openApiDocument(parts.routes);
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(document));
  });
  scope.get('/healthz', () => ({ status: 'ok' }));
  scope.get('/readyz', async (request) => checkReadiness(parts.messenger, request.id));
  scope.get('/metrics', async (_request, reply) => {
    return reply.type(parts.meter.contentType).send(await parts.meter.text());
  });
}

function mountEvents(scope: FastifyInstance, route: Route, parts: EdgeParts): void {
  scope.get(fastifyPath(route.path), {
    onRequest: (request, _reply, done) => {
      admit(request, route, parts.authenticate);
      done();
    },
    handler: async (request, reply) => {
      const query = parseBody(eventsQuery, request.query, 'The query');
      if (request.method === 'HEAD') return headOf(reply, route);
      if (request.headers.accept === 'application/json') {
        const asked = { params: {}, query, body: undefined };
        return (await route.handle(asked, routeContext(parts, request))).body;
      }
      const from = lastEventId(request) ?? query.from;
      const feed = { from, prefix: query.prefix, requestId: request.id };
      // Thrown before the first byte it is a problem like any other; after it the stream just ends.
      const streaming = parts.events.stream(reply.raw, feed, () => void reply.hijack());
      await streaming.catch((thrown: unknown) => {
        if (!reply.raw.headersSent) throw thrown;
        parts.warn({ err: thrown, requestId: request.id }, 'event stream failed');
        reply.raw.end();
      });
      return undefined;
    },
  });
}

/** A stream has no end that a HEAD could wait for. */
function headOf(reply: FastifyReply, { success }: Route): FastifyReply {
  return reply.type(success.mediaType ?? 'application/json').send('');
}

/** Thrown before the first byte it is a problem like any other; after it the connection breaks off, which readers notice. */
function mountStream(scope: FastifyInstance, route: Route, parts: EdgeParts): void {
  const { stream } = route;
  if (stream === undefined) return;
  scope.route({
    method: route.method,
    url: fastifyPath(route.path),
    onRequest: (request, _reply, done) => {
      admit(request, route, parts.authenticate);
      done();
    },
    handler: async (request, reply) => {
      const params = parseBody(route.params, request.params, 'The path');
      const query = parseBody(route.query, request.query, 'The query');
      if (request.method === 'HEAD') return headOf(reply, route);
      const { 'last-event-id': lastEventId } = request.headers;
      const context = {
        ...routeContext(parts, request),
        response: reply.raw,
        takeOver: () => void reply.hijack(),
        watch: (asked: Parameters<Store['watch']>[0]) => parts.store.watch(asked),
        lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
      };
      await stream({ params, query, body: undefined }, context).catch((thrown: unknown) => {
        if (!reply.raw.headersSent) throw thrown;
        parts.warn({ err: thrown, requestId: request.id }, 'stream failed');
        reply.raw.destroy();
      });
      return undefined;
    },
  });
}

function lastEventId(request: FastifyRequest): number | undefined {
  const text = request.headers['last-event-id'];
  if (text === undefined || text === '') return undefined;
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text) + 1;
  throw new SkeinError('invalid_request', 'Last-Event-ID is a revision', {
    field: 'Last-Event-ID',
  });
}
