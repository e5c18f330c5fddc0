// A listening TCP socket bound out here and handed to a process of the private world, whose network has no way in.

import { createServer, type Server } from 'node:net';
import { SkeinError } from '@skein/contracts';

export interface ListeningSocket {
  readonly fd: number;
  readonly port: number;
  /** Closes this process' copy. */
  close(): void;
}

/** Binds `port` on 127.0.0.1; where it is taken and `orAny` is set, any free one. Throws `unavailable` otherwise. */
export async function bindSocket(port: number, orAny: boolean): Promise<ListeningSocket> {
  const server = createServer();
  try {
    await listen(server, port);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    if (!orAny) {
      throw new SkeinError('unavailable', `port ${port} of 127.0.0.1 is taken by another program`, {
        cause,
      });
    }
    await listen(server, 0);
  }
  const address = server.address();
  const fd = (server as Server & { _handle: { fd: number } })._handle.fd;
  if (address === null || typeof address === 'string')
    throw new Error('a TCP socket has an address');
  return { fd, port: address.port, close: () => server.close() };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1' }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
