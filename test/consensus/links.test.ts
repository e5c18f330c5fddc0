// The links of the tests themselves: every byte goes through once, however often a test says that a link is whole. A link that
// repeats bytes breaks the NATS protocol on it, and what the replicas then make of that proves nothing about them.

import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { Links } from './links';
import { eventually } from './waiting';

let folder: string;
let server: Server;
let links: Links;
/** What has reached the server; it answers each piece with the same bytes. */
let heard = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skein-links-'));
  const program = join(folder, 'link-proxy.mjs');
  const entryPoints = [join(import.meta.dirname, 'link-proxy.ts')];
  await build({ entryPoints, outfile: program, bundle: true, format: 'esm', platform: 'node' });
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      heard += data.toString();
      socket.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  links = Links.start(program, (server.address() as AddressInfo).port);
}, 30_000);
afterAll(async () => {
  await links.stop();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

it('carries each byte once, cut and healed or healed without having been cut', async () => {
  const { hostname, port } = new URL(await links.url('r1'));
  const socket: Socket = connect(Number(port), hostname);
  let answered = '';
  socket.on('data', (data) => (answered += data.toString()));
  const say = async (text: string): Promise<void> => {
    const expected = heard + text;
    socket.write(text);
    await eventually(() => answered.length >= expected.length);
    expect([heard, answered]).toEqual([expected, expected]);
  };
  await say('first ');
  for (let n = 0; n < 3; n += 1) links.set('r1', 'whole');
  await say('second ');
  links.set('r1', 'cut');
  links.set('r1', 'cut');
  links.set('r1', 'deaf');
  links.set('r1', 'whole');
  await say('third ');
  socket.destroy();
});
