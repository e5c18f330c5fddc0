// What is no request, or never becomes one: bytes that are not HTTP, headers without end, a body that does not come. Node would answer
// it by itself, in words that no client of ours knows; here it gets a problem as everything else does, and the connection ends.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { SkeinError } from '@skein/contracts';
import { problemContentType, toProblem } from './problem';

/** From the first byte of a request to its last. */
export const requestTimeoutMs = 30_000;
/** How often it is looked at who has had that time. */
const timeoutCheckMs = 5_000;

/** What Node's server is made with. A request without `Host` is let through to where it can be answered. */
export const serverOptions = {
  connectionsCheckingInterval: timeoutCheckMs,
  requestTimeout: requestTimeoutMs,
  headersTimeout: requestTimeoutMs,
  requireHostHeader: false,
};

/** For Fastify's `clientErrorHandler`. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(asAnswer(refusalOf(error)), () => socket.destroy());
}

function refusalOf({ code, message }: NodeJS.ErrnoException): SkeinError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const detail = `The request was not whole after ${requestTimeoutMs / 1_000} s`;
    return new SkeinError('request_timeout', detail);
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new SkeinError('headers_too_large', 'The path and headers are longer than 16 KiB');
  }
  return new SkeinError('invalid_request', `This is not HTTP/1.1: ${message}`);
}

function asAnswer(error: SkeinError): string {
  const requestId = randomUUID();
  const problem = toProblem(error, requestId);
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${reasons[problem.status] ?? 'Bad Request'}`,
    `x-request-id: ${requestId}`,
    `content-type: ${problemContentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}

const reasons: Readonly<Record<number, string>> = {
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** An expectation other than `100-continue`, which Node would refuse in its own way. */
export function refuseExpectations(server: Server): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const detail = `Nothing is known of 'Expect: ${request.headers.expect}'`;
    const problem = toProblem(new SkeinError('invalid_request', detail, { field: 'Expect' }));
    response
      .writeHead(problem.status, { 'content-type': problemContentType, connection: 'close' })
      .end(JSON.stringify(problem));
  });
}

/** Throws `invalid_request`. HTTP/1.1 demands the header. */
export function demandHost({ httpVersion, headers }: IncomingMessage): void {
  if (httpVersion === '1.0' || headers.host !== undefined) return;
  throw new SkeinError('invalid_request', 'The header Host is missing', { field: 'Host' });
}
