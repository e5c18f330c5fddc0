// Brings Nest up on Fastify and makes it listen: on an address and port, or on a socket that was handed down. The local stack
// hands one down because the gateway's own network namespace has no way to the machine's loopback.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import type { ListenOptions } from 'node:net';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { nestLogger, type ServiceLogger } from '@skein/service-boot';
import type { GatewayConfig } from './gateway.config';
import { GatewayModule } from './gateway.module';
import { problemContentType, toProblem, toSkeinError } from './http/problem';
import {
  answerUnreadable,
  refuseExpectations,
  requestTimeoutMs,
  serverOptions,
} from './http/unreadable';

export const bodyLimitBytes = 1_048_576;
const closeGraceMs = 1_000;
const requestIdPattern = /^[A-Za-z0-9._:-]{1,64}$/;

type ListenConfig = Pick<GatewayConfig, 'httpAddress' | 'httpPort' | 'httpFd'>;

export interface RunningGateway {
  readonly server: Server;
  close(): Promise<void>;
}

export async function startHttp(
  module: DynamicModule,
  config: ListenConfig & Pick<GatewayConfig, 'tlsCert' | 'tlsKey'>,
  logger: ServiceLogger,
): Promise<RunningGateway> {
  const adapter = new FastifyAdapter({
    ...serverOf(config),
    requestTimeout: requestTimeoutMs,
    clientErrorHandler: answerUnreadable,
    bodyLimit: bodyLimitBytes,
    genReqId: (request: IncomingMessage) => requestId(request.headers['x-request-id']),
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false },
    // A URL that can't be decoded is answered before any hook runs.
    frameworkErrors: (thrown: Error, request: FastifyRequest, reply: FastifyReply) => {
      const problem = toProblem(toSkeinError(thrown), request.id);
      void reply
        .code(problem.status)
        .header('x-request-id', request.id)
        .type(problemContentType)
        .send(JSON.stringify(problem));
    },
  });
  const application = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    logger: nestLogger(logger),
    abortOnError: false,
  });
  application.useGlobalFilters(application.get(GatewayModule).filter());
  await application.init();
  const fastify = adapter.getInstance();
  await fastify.ready();
  const server = fastify.server as Server;
  refuseExpectations(server);
  await listen(server, listenOptions(config));
  logger.info({ address: server.address() }, 'listening');
  return { server, close: () => closeGently(server, application) };
}

/** Running requests get a moment to finish. Fastify would close connections itself, had it done the listening. */
async function closeGently(server: Server, application: NestFastifyApplication): Promise<void> {
  const limit = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  try {
    await application.close();
  } finally {
    clearTimeout(limit);
  }
}

/** With both files it speaks HTTPS, with neither HTTP. */
function serverOf({ tlsCert, tlsKey }: Pick<GatewayConfig, 'tlsCert' | 'tlsKey'>) {
  if (tlsCert === undefined && tlsKey === undefined) return { http: serverOptions };
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new Error('SKEIN_TLS_CERT and SKEIN_TLS_KEY go together');
  }
  return {
    https: {
      ...serverOptions,
      cert: readFileSync(tlsCert),
      key: readFileSync(tlsKey),
      minVersion: 'TLSv1.2' as const,
    },
  };
}

function listenOptions(config: ListenConfig): ListenOptions & { fd?: number } {
  if (config.httpFd !== undefined) return { fd: config.httpFd };
  return { host: config.httpAddress, port: config.httpPort };
}

function listen(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID();
}
