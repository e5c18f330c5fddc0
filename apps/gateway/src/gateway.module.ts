// Composition root of the gateway: what it is made of, and who gets what.

import { readFileSync } from 'node:fs';
import {
  Catch,
  Inject,
  Module,
  type ArgumentsHost,
  type DynamicModule,
  type ExceptionFilter,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { eventsContract, parseErrorHelp, subjectPrefix } from '@skein/contracts';
import type { Messenger } from '@skein/messaging';
import type { PrometheusMeter } from '@skein/metrics';
import type { ServiceLogger } from '@skein/service-boot';
import { StoreClient } from '@skein/store-client';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from './gateway.config';
import { Asking } from './http/asking';
import { AttachGatherer } from './http/attach-gatherer';
import { dashboardFolder } from './http/dashboard';
import { mountEdge, sendProblem, type EdgeParts } from './http/edge';
import { EventFeed } from './http/event-feed';
import { Idempotency } from './http/idempotency';
import { TokenBook } from './http/token-book';
import { authenticator } from './http/tokens';
import { routes } from './routes/index';

const edgeParts = Symbol('EdgeParts');

export interface GatewayParts {
  readonly messenger: Messenger;
  readonly logger: ServiceLogger;
  readonly meter: PrometheusMeter;
}

@Module({})
export class GatewayModule implements OnModuleInit, OnModuleDestroy {
  constructor(
    @Inject(edgeParts) private readonly parts: EdgeParts,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  static of(config: GatewayConfig, parts: GatewayParts): DynamicModule {
    const { messenger } = parts;
    // Nothing is served on NATS; the service is listed there like all others.
    messenger.service({ name: 'gateway', version: '0.1.0', description: 'The HTTP door.' });
    return {
      module: GatewayModule,
      providers: [{ provide: edgeParts, useFactory: () => makeParts(config, parts) }],
      exports: [edgeParts],
    };
  }

  onModuleInit(): void {
    mountEdge(this.host.httpAdapter.getInstance<FastifyInstance>(), this.parts);
  }

  /** Open streams would hold up the stop. */
  onModuleDestroy(): void {
    this.parts.events.close();
    this.parts.tokens.close();
  }

  /** What Nest itself refuses, such as a path that nobody serves. */
  filter(): ExceptionFilter {
    return new ProblemFilter(this.parts);
  }
}

@Catch()
class ProblemFilter implements ExceptionFilter {
  constructor(private readonly parts: EdgeParts) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    void sendProblem(this.parts, thrown, request, http.getResponse<FastifyReply>());
  }
}

function makeParts(config: GatewayConfig, { messenger, logger, meter }: GatewayParts): EdgeParts {
  const asking = new Asking(messenger);
  const events = new EventFeed({
    history: (request, requestId) => asking.request(eventsContract, request, { requestId }),
    facts: (handler) => messenger.subscribeEvent(`${subjectPrefix}.event.>`, handler),
  });
  const store = StoreClient.connect(messenger);
  const warn = (facts: object, message: string): void => logger.warn(facts, message);
  const tokens = new TokenBook({ store, warn });
  tokens.start();
  meter.gauge('eventReaders', () => events.readers);
  return {
    messenger: asking,
    store,
    tokens,
    authenticate: authenticator(config.tokens, tokens),
    requestsPerSecond: config.requestsPerSecond,
    idempotency: new Idempotency(asking),
    attaches: new AttachGatherer(asking),
    routes,
    events,
    meter,
    tracing: messenger.tracing,
    errorHelp: readErrorHelp,
    dashboard: dashboardFolder(),
    warn,
    inform: (facts, message) => logger.info(facts, message),
  };
}

/** docs/errors.md lies beside dist/, in a checkout as in an image; without it the page shows the codes alone. */
function readErrorHelp() {
  try {
    return parseErrorHelp(readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8'));
  } catch {
    return [];
  }
}
