// What no HTTP client sends: bytes on a socket that are no request, half of one, or one so slow that it never ends. Each must be
// answered with a problem or end with its connection, and neither may take long.

import { createConnection } from 'node:net';

export interface RawCase {
  readonly name: string;
  /** Written one after the other, a moment apart; the connection is left open behind them. */
  readonly pieces: readonly string[];
  /** Statuses of which the first answer has one; 0: the connection is closed without an answer. */
  readonly demand: readonly number[];
  /** The gateway gives up on what never comes after this long, and not before. */
  readonly limitMs?: number;
}

export interface RawOutcome {
  readonly text: string;
  readonly isClosed: boolean;
}

const pieceEveryMs = 20;
/** An answer that keeps its connection is over when nothing has followed for this long. */
const silenceMs = 400;
const answerLimitMs = 5_000;

const line = (first: string, ...headers: string[]): string =>
  `${[first, ...headers].join('\r\n')}\r\n\r\n`;
const hostHeader = 'Host: localhost';
const jsonHeader = 'Content-Type: application/json';

export function rawCases(token: string): readonly RawCase[] {
  const bearer = `Authorization: Bearer ${token}`;
  const body = '{"name":"slow"}';
  const post = (...headers: string[]): string =>
    line('POST /v1/kv:compact HTTP/1.1', hostHeader, bearer, jsonHeader, ...headers);
  return [
    { name: 'not HTTP', pieces: ['hello\r\n\r\n'], demand: [400] },
    { name: 'TLS', pieces: ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc'], demand: [400] },
    {
      name: 'unknown method',
      pieces: [line('FUZZ /v1/hosts HTTP/1.1', hostHeader)],
      demand: [400],
    },
    {
      name: 'known method without a route',
      pieces: [line('LOCK /v1/hosts HTTP/1.1', hostHeader, bearer)],
      demand: [405],
    },
    {
      name: 'method at no path',
      pieces: [line('PURGE /nowhere HTTP/1.1', hostHeader, bearer)],
      demand: [404],
    },
    { name: 'no Host', pieces: [line('GET /v1/hosts HTTP/1.1', bearer)], demand: [400] },
    { name: 'HTTP/1.0', pieces: [line('GET /healthz HTTP/1.0')], demand: [200] },
    { name: 'HTTP/2 preface', pieces: ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], demand: [400] },
    {
      name: 'absolute form',
      pieces: [line('GET http://evil.example/healthz HTTP/1.1', hostHeader)],
      demand: [200, 400, 404],
    },
    { name: 'asterisk', pieces: [line('OPTIONS * HTTP/1.1', hostHeader)], demand: [400, 404, 405] },
    {
      name: 'tunnel',
      pieces: [line('CONNECT evil.example:443 HTTP/1.1', hostHeader)],
      demand: [0, 400, 404, 405],
    },
    {
      name: 'upgrade',
      pieces: [
        line('GET /v1/hosts HTTP/1.1', hostHeader, 'Connection: Upgrade', 'Upgrade: websocket'),
      ],
      demand: [401, 400],
    },
    {
      name: 'a space in the path',
      pieces: [line('GET /v1/ho sts HTTP/1.1', hostHeader)],
      demand: [400],
    },
    {
      name: 'bytes in the path',
      pieces: [line('GET /v1/\xff\xfe HTTP/1.1', hostHeader)],
      demand: [400, 404],
    },
    {
      name: 'a very long path',
      pieces: [line(`GET /${'x'.repeat(20_000)} HTTP/1.1`, hostHeader)],
      demand: [431],
    },
    {
      name: 'very long headers',
      pieces: [line('GET /healthz HTTP/1.1', hostHeader, `X-Long: ${'x'.repeat(20_000)}`)],
      demand: [431],
    },
    {
      name: 'two lengths',
      pieces: [post('Content-Length: 2', 'Content-Length: 3') + '{}'],
      demand: [400],
    },
    {
      name: 'length and chunks',
      pieces: [post('Content-Length: 2', 'Transfer-Encoding: chunked') + '{}'],
      demand: [400],
    },
    { name: 'negative length', pieces: [post('Content-Length: -1') + '{}'], demand: [400] },
    { name: 'huge length', pieces: [post('Content-Length: 99999999999') + '{}'], demand: [413] },
    {
      name: 'bad chunk',
      pieces: [post('Transfer-Encoding: chunked') + 'zz\r\n{}\r\n'],
      demand: [400],
    },
    {
      name: 'unknown expectation',
      pieces: [post('Expect: wonders', 'Content-Length: 2') + '{}'],
      demand: [400, 417],
    },
    {
      name: 'continue',
      pieces: [post('Expect: 100-continue', 'Content-Length: 2'), '{}'],
      demand: [100, 400],
    },
    {
      name: 'a body in small pieces',
      pieces: [post(`Content-Length: ${body.length}`), ...body],
      demand: [400],
    },
    {
      name: 'pipelined',
      pieces: [line('GET /healthz HTTP/1.1', hostHeader).repeat(20)],
      demand: [200],
    },
    {
      name: 'two headers with a token',
      pieces: [line('GET /v1/hosts HTTP/1.1', hostHeader, 'Authorization: Bearer x', bearer)],
      demand: [401, 400],
    },
  ];
}

/** Left open, these hold something of the gateway's until it lets go of them. */
export function unendingCases(token: string, limitMs: number): readonly RawCase[] {
  const bearer = `Authorization: Bearer ${token}`;
  const headers = [hostHeader, bearer, jsonHeader, 'Content-Length: 100'];
  return [
    { name: 'half a request line', pieces: ['GET /v1/ho'], demand: [408], limitMs },
    {
      name: 'half of the headers',
      pieces: [`GET /v1/hosts HTTP/1.1\r\n${hostHeader}\r\n`],
      demand: [408],
      limitMs,
    },
    {
      name: 'half a body',
      pieces: [line('POST /v1/networks HTTP/1.1', ...headers), '{"name":'],
      demand: [408],
      limitMs,
    },
  ];
}

/** Resolves once an answer has come, the connection has ended, or the time is up. */
export function tryRaw(
  url: string,
  { pieces, limitMs = answerLimitMs }: RawCase,
): Promise<RawOutcome> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port) });
    let text = '';
    let silence: NodeJS.Timeout | undefined;
    const left = [...pieces];
    const end = (isClosed: boolean): void => {
      for (const timer of [limit, silence, writing]) clearTimeout(timer);
      socket.destroy();
      resolve({ text, isClosed });
    };
    const limit = setTimeout(() => end(false), limitMs);
    const writing = setInterval(() => {
      const piece = left.shift();
      if (piece === undefined) clearInterval(writing);
      else socket.write(Buffer.from(piece, 'latin1'));
    }, pieceEveryMs);
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      clearTimeout(silence);
      if (left.length === 0) silence = setTimeout(() => end(false), silenceMs);
    });
    socket.once('error', () => end(true));
    socket.once('close', () => end(true));
  });
}

/** What is wrong with the first answer; undefined if nothing is. */
export function rawFaultOf(
  { demand }: RawCase,
  { text, isClosed }: RawOutcome,
): string | undefined {
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
  if (status === 0 && !isClosed) return 'hang: neither an answer nor an end';
  if (!demand.includes(status)) return `${status} where ${demand.join(' or ')} is right`;
  if (status < 400) return undefined;
  const [head = '', body = ''] = text.split('\r\n\r\n');
  if (!/^content-type: application\/problem\+json/im.test(head))
    return `${status} that is no problem`;
  try {
    const problem = JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)) as {
      status?: number;
    };
    return problem.status === status ? undefined : `${status} whose problem says ${problem.status}`;
  } catch {
    return `${status} with a body that is no problem`;
  }
}

/** Readers of streams that ask and then read nothing. The answer lets go of them. */
export function stuckReaders(url: string, token: string, count: number): () => void {
  const { hostname, port } = new URL(url);
  const paths = [
    '/v1/events?from=1',
    '/v1/kv/watch?prefix=&from=1',
    '/v1/cluster/backup',
    '/v1/events',
  ];
  const sockets = Array.from({ length: count }, (_, index) => {
    const socket = createConnection({ host: hostname, port: Number(port) });
    socket.pause();
    socket.on('error', () => undefined);
    const path = paths[index % paths.length] ?? '/v1/events';
    socket.write(line(`GET ${path} HTTP/1.1`, hostHeader, `Authorization: Bearer ${token}`));
    return socket;
  });
  return () => sockets.forEach((socket) => socket.destroy());
}
