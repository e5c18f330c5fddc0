// Each request of the table of routes as the first part of what is done for it, or the next part of what its caller does. Streams last
// as long as somebody reads, and pages are nobody's work: neither is followed.

import type { Tracing } from '@skein/messaging';
import type { FastifyInstance } from 'fastify';
import type { Route } from './route';
import { fastifyPath } from './router';

export function followRequests(
  fastify: FastifyInstance,
  tracing: Tracing,
  routes: readonly Route[],
): void {
  const followed = new Map(
    routes
      .filter(({ stream, operation }) => stream === undefined && operation !== 'streamEvents')
      .map(({ method, path }) => [`${method} ${fastifyPath(path)}`, path]),
  );
  fastify.addHook('onRequest', (request, reply, done) => {
    const { method, id: requestId } = request;
    const route = followed.get(`${method} ${request.routeOptions.url ?? ''}`);
    if (route === undefined) return done();
    const { traceparent } = request.headers;
    const part = tracing.begin({
      kind: 'door',
      name: `${method} ${route}`,
      requestIds: [requestId],
      traceparent: typeof traceparent === 'string' ? traceparent : undefined,
      facts: {
        'http.request.method': method,
        'http.route': route,
        'url.path': request.url.split('?')[0] ?? '',
      },
    });
    // Once, whatever becomes of it: answered, or left by its caller.
    reply.raw.once('close', () => {
      const { statusCode: status, writableFinished } = reply.raw;
      const code = !writableFinished ? 'cancelled' : status < 400 ? 'ok' : String(status);
      const facts = writableFinished ? { 'http.response.status_code': status } : undefined;
      part?.end({ code, isFailure: status >= 500, facts });
    });
    done();
  });
}
