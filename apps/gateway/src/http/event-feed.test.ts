// Readers of the event stream that don't keep up, over real sockets.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { HistoryEvent } from '@skein/contracts';
import { EventFeed } from './event-feed';

const total = 4_000;
const text = 'x'.repeat(4_096);
const events = Array.from({ length: total }, (_, index): HistoryEvent => {
  const revision = index + 1;
  return { revision, position: 0, at: 1, type: 'network.created', subject: 'n', body: { text } };
});

let pages = 0;
const feed = new EventFeed({
  history: ({ from, limit = 100 }) => {
    pages += 1;
    return Promise.resolve({ events: events.slice(from - 1, from - 1 + limit), revision: total });
  },
  facts: () => ({ unsubscribe: () => undefined, drain: () => Promise.resolve() }),
  stallLimitMs: 1_000,
});
const open: Promise<void>[] = [];
let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    const after = Number(request.headers['last-event-id'] ?? 0);
    const asked = { from: after + 1, prefix: undefined, requestId: 'r' };
    open.push(feed.stream(response, asked, () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  feed.close();
  server.closeAllConnections();
  server.close();
});

function ask(lastEventId: number): Socket {
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET / HTTP/1.1\r\nhost: x\r\nlast-event-id: ${lastEventId}\r\n\r\n`);
  return socket;
}

/** Everything up to the end of the stream, or until all events have been seen. */
async function read(socket: Socket): Promise<string> {
  const parts: string[] = [];
  for await (const part of socket) {
    parts.push(String(part));
    if (parts.slice(-4).join('').includes(`id: ${total}\n`)) break;
  }
  return parts.join('');
}

const idsIn = (seen: string): number[] =>
  [...seen.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));

it('tells a reader that never reads why it is cut off, and loses nothing when it resumes', async () => {
  const idle = ask(0);
  idle.pause();
  while (open.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await open[0];
  expect(feed.readers).toBe(0);
  // Bounded: it was sent what fits into the sockets, and one page waited.
  expect(pages).toBeLessThan(total / 500);
  const before = await read(idle);
  expect(before.slice(-600)).toMatch(/event: cutoff\ndata: {"type":"\/docs\/errors#overloaded"/);
  const seen = idsIn(before);
  const resumed = idsIn(await read(ask(seen.at(-1) ?? 0)));
  expect([...seen, ...resumed]).toEqual(events.map(({ revision }) => revision));
}, 20_000);
