// What Prometheus reads at `/metrics`: the process, and each request by route and status.

import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export class Metrics {
  readonly registry = new Registry();
  readonly #durations: Histogram<'method' | 'route' | 'status'>;

  constructor(parts: { eventReaders: () => number; natsConnected: () => boolean }) {
    collectDefaultMetrics({ register: this.registry });
    this.#durations = new Histogram({
      name: 'skein_http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [this.registry],
    });
    this.#gauge('skein_event_readers', 'Open event streams.', parts.eventReaders);
    this.#gauge('skein_nats_connected', '1 while NATS is connected.', () =>
      parts.natsConnected() ? 1 : 0,
    );
  }

  observe(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url?.replace(/:(\w+)/g, '{$1}') ?? 'none';
      this.#durations
        .labels(request.method, route, String(reply.statusCode))
        .observe(reply.elapsedTime / 1_000);
      done();
    });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
