// The member's TCP side: one frame in and at most one out per connection, bounded in number, size and time. Push-pull and
// the fallback ping go this way. Knows nothing of the protocol's messages.

import { createServer, connect, type Server, type Socket } from 'node:net';
import { formatAddress, type SocketAddress } from './socket-address';
import { FrameCollector, withLength } from './stream-frames';

/** Connections served or opened at one time. */
const maxStreams = 128;

export interface StreamHandlers {
  /** A peer's frame; the returned one is the answer, null if there is none. */
  serve(frame: Uint8Array, from: string): Uint8Array | null;
  /** The answer to a frame that was sent with `send`. */
  answered(frame: Uint8Array, from: string): void;
  failed(what: string, cause: Error): void;
}

export class StreamTransport {
  readonly #handlers: StreamHandlers;
  readonly #timeoutMs: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(handlers: StreamHandlers, timeoutMs: number) {
    this.#handlers = handlers;
    this.#timeoutMs = timeoutMs;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
    this.#server.maxConnections = maxStreams;
  }

  /** Resolves with the port, which the system chooses if 0 is asked for. */
  async listen({ host, port }: SocketAddress): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (cause) => this.#handlers.failed('listen', cause));
        resolve();
      });
    });
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('not a TCP server');
    return bound.port;
  }

  /** Opens a connection, writes the frame and hands on the answer, if one comes in time. */
  send(to: SocketAddress, frame: Uint8Array): void {
    if (this.#sockets.size >= maxStreams) {
      return this.#handlers.failed('connect', new Error('too many open streams'));
    }
    const socket = connect({ host: to.host, port: to.port, allowHalfOpen: true });
    this.#own(socket, 'connect');
    this.#collect(socket, (answer) => {
      this.#handlers.answered(answer, formatAddress(to));
      socket.destroy();
    });
    socket.on('end', () => socket.destroy());
    socket.end(withLength(frame));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    const { remoteAddress: host = '', remotePort: port = 0 } = socket;
    this.#own(socket, 'serve');
    let isServed = false;
    this.#collect(socket, (frame) => {
      isServed = true;
      const answer = this.#handlers.serve(frame, formatAddress({ host, port }));
      if (answer === null) socket.end();
      else socket.end(withLength(answer));
    });
    socket.on('end', () => {
      if (!isServed) socket.destroy();
    });
  }

  #own(socket: Socket, what: string): void {
    this.#sockets.add(socket);
    const deadline = setTimeout(
      () => socket.destroy(new Error(`stream took over ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
    );
    socket.on('error', (cause) => this.#handlers.failed(what, cause));
    socket.on('close', () => {
      clearTimeout(deadline);
      this.#sockets.delete(socket);
    });
  }

  #collect(socket: Socket, done: (frame: Uint8Array) => void): void {
    const collector = new FrameCollector();
    let isDone = false;
    socket.on('data', (chunk: Buffer) => {
      if (isDone) return;
      const frame = collector.add(chunk);
      if (frame === null) return;
      isDone = true;
      if (frame === 'tooLarge') socket.destroy(new Error('stream frame too large'));
      else done(frame);
    });
  }
}
