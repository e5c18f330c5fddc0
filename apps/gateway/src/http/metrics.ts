// What the gateway measures of its own: each request by route and status.

import { SkeinError } from '@skein/contracts';
import type { FastifyInstance } from 'fastify';
import type { Meter } from '@skein/metrics';

export function measureRequests(fastify: FastifyInstance, meter: Meter): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url?.replace(/:(\w+)/g, '{$1}') ?? 'none';
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    meter.observe('httpRequestDuration', reply.elapsedTime / 1_000, labels);
    done();
  });
}

/** From the request of an attach to its answer. */
export async function measureAttach<Reply>(meter: Meter, attach: Promise<Reply>): Promise<Reply> {
  const startedAt = performance.now();
  const tell = (code: string): void =>
    meter.observe('attachDuration', (performance.now() - startedAt) / 1_000, { code });
  try {
    const reply = await attach;
    tell('ok');
    return reply;
  } catch (thrown) {
    tell(SkeinError.from(thrown).code);
    throw thrown;
  }
}
