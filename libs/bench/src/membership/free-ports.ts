// Ports of loopback that are free for TCP and UDP at this moment, all different.

import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

export async function freePorts(count: number): Promise<number[]> {
  const held: (() => Promise<void>)[] = [];
  const ports: number[] = [];
  try {
    while (ports.length < count) {
      const server = createServer();
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      held.push(() => new Promise((done) => server.close(() => done())));
      const address = server.address();
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
      if (await isFreeForUdp(port)) ports.push(port);
    }
  } finally {
    for (const close of held) await close();
  }
  return ports;
}

function isFreeForUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
