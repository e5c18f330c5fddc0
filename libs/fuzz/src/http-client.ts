// Sends one request as it is, and says what came: an answer, or how none came. A stream is read for a moment and left.

import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { FuzzRequest } from './plan';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly isStream: boolean;
  readonly ms: number;
}
export interface NoAnswer {
  readonly failure: 'hang' | 'broken';
  readonly reason: string;
  readonly ms: number;
}

const deadlineMs = 40_000;
/** How long the gateway may wait for hosts, at most, if it is asked to. */
const longestWaitMs = 30_000;
const streamMs = 150;
const maxSockets = 64;

export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets });

  constructor(private readonly url: string) {}

  close(): void {
    this.#agent.destroy();
  }

  send({ method, path, headers, body }: FuzzRequest): Promise<HttpAnswer | NoAnswer> {
    const from = performance.now();
    const ms = (): number => Math.round(performance.now() - from);
    const { hostname, port } = new URL(this.url);
    return new Promise((resolve) => {
      const limitMs = /[?&]wait=/.test(path) ? deadlineMs + longestWaitMs : deadlineMs;
      const deadline = setTimeout(() => {
        resolve({ failure: 'hang', reason: `nothing after ${limitMs} ms`, ms: ms() });
        sent.destroy();
      }, limitMs);
      const settle = (outcome: HttpAnswer | NoAnswer): void => {
        clearTimeout(deadline);
        resolve(outcome);
      };
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
      const sent = httpRequest(
        {
          agent: this.#agent,
          hostname,
          port,
          method,
          path: asLatin1(path),
          headers: {
            ...('transfer-encoding' in headers ? {} : length),
            ...Object.fromEntries(
              Object.entries(headers).map(([name, value]) => [name, asLatin1(value)]),
            ),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          const isStream = (response.headers['content-type'] ?? '').startsWith('text/event-stream');
          const finish = (): void => {
            clearTimeout(reading);
            settle({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
              isStream,
              ms: ms(),
            });
          };
          const reading = setTimeout(
            () => {
              finish();
              sent.destroy();
            },
            isStream ? streamMs : longestWaitMs * 2,
          );
          response.on('data', (chunk: Buffer) => void chunks.push(chunk));
          response.once('end', finish);
          response.once('error', (error) => {
            clearTimeout(reading);
            settle({ failure: 'broken', reason: error.message, ms: ms() });
          });
        },
      );
      sent.once('error', (error) => settle({ failure: 'broken', reason: error.message, ms: ms() }));
      sent.end(body);
    });
  }
}

/** A URL or header holds bytes: whatever is beyond Latin-1 goes as its UTF-8. */
function asLatin1(text: string): string {
  return /[^\x00-\xff]/.test(text) ? Buffer.from(text).toString('latin1') : text;
}
