import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Api } from './api';
import { followEvents } from './event-stream';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

describe('followEvents', () => {
  it('resumes where it began after a break before the first event', async () => {
    const asked: string[] = [];
    const api = await serve((url, answer) => {
      asked.push(url);
      if (url.includes('limit=1')) return answer.end('{"revision":7,"events":[]}');
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      if (asked.length === 2) answer.write(': begun\n\n', () => answer.destroy());
      else answer.write('id: 8\ndata: {"type":"host.up"}\n\n');
    });
    const control = new AbortController();
    const seen: unknown[] = [];
    const onEvent = (event: unknown): void => {
      seen.push(event);
      control.abort();
    };
    await followEvents(api, { signal: control.signal, onEvent });
    expect(seen).toEqual([{ type: 'host.up' }]);
    expect(asked.slice(1)).toEqual(['/v1/events?from=8', '/v1/events?from=8']);
  });

  it('rejects if it was never open', async () => {
    const api = await serve((_url, answer) => answer.writeHead(503).end());
    const { signal } = new AbortController();
    await expect(
      followEvents(api, { from: 1, signal, onEvent: () => undefined }),
    ).rejects.toThrow();
  });
});

type Answer = Parameters<Parameters<typeof createServer>[1] & object>[1];

async function serve(handle: (url: string, answer: Answer) => unknown): Promise<Api> {
  const made = createServer((request, answer) => void handle(request.url ?? '', answer));
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const { port } = made.address() as AddressInfo;
  return new Api({ url: `http://127.0.0.1:${port}`, token: undefined, source: 'default' });
}
