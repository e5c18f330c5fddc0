// How much one caller may ask: requests a second, and the size of a body. Counted in this process alone; who has no token is
// counted by address.

import rateLimit from '@fastify/rate-limit';
import { SkeinError } from '@skein/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from './tokens';

export interface LimitParts {
  /** For callers that have no limit of their own. */
  readonly requestsPerSecond: number;
  readonly callerOf: (request: FastifyRequest) => Caller | undefined;
}

const windowMs = 1_000;
/** Callers that are counted at once; the longest silent are forgotten first. */
const maxCounted = 5_000;

/** For the routes that are registered after it has loaded. */
export function limitRates(fastify: FastifyInstance, parts: LimitParts): void {
  void fastify.register(rateLimit, {
    timeWindow: windowMs,
    cache: maxCounted,
    keyGenerator: (request) => parts.callerOf(request)?.id ?? `address/${request.ip}`,
    max: (request) => parts.callerOf(request)?.requestsPerSecond ?? parts.requestsPerSecond,
    errorResponseBuilder: (_request, { max }) =>
      new SkeinError('overloaded', `This token may ask ${max} times a second`, {
        facts: { requestsPerSecond: max },
      }),
    addHeadersOnExceeding: {
      'x-ratelimit-limit': false,
      'x-ratelimit-remaining': false,
      'x-ratelimit-reset': false,
    },
    addHeaders: { 'retry-after': false },
  });
}

/** Throws `payload_too_large` for a body that is larger than the caller's token lets it be. */
export function demandSize(caller: Caller | undefined, bytes: number): void {
  const limit = caller?.maxBodyBytes;
  if (limit === undefined || bytes <= limit) return;
  throw new SkeinError('payload_too_large', `This token may send ${limit} bytes, not ${bytes}`, {
    facts: { maxBodyBytes: limit },
  });
}
