// Carries bytes between connections that are made here and a place that they can't reach by themselves.

import { createConnection, createServer, type NetConnectOpts, type Server } from 'node:net';

/** Still to be made to listen. */
export function relayTo(target: NetConnectOpts): Server {
  return createServer((from) => {
    const to = createConnection(target);
    from.pipe(to).pipe(from);
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
  });
}
