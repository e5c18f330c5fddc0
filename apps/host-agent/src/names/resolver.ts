// The sockets of one resolver, inside one namespace. Opening takes a while and may fail; whoever owns it tries again. What is
// answered is not known here.

import type { Socket } from 'node:dgram';
import type { Server, Socket as Stream } from 'node:net';
import { bindSockets, closeSockets, type BoundSockets } from './bind-sockets';
import { withLength, type Via } from './forwarder';
import type { Respond } from './responder';

export const resolverPort = 53;
const streamIdleMs = 10_000;
const maxStreams = 64;
/** Answers that a client has not read; with more it reads none. */
const maxUnreadBytes = 262_144;
/** Questions of one namespace that are being answered. */
const maxBusy = 512;

export class Resolver {
  readonly addresses: readonly string[];
  #sockets: BoundSockets | null = null;
  readonly #streams = new Set<Stream>();
  readonly #respond: Respond;
  #busy = 0;
  #isClosed = false;
  #failed: (() => void) | null = null;

  constructor(addresses: readonly string[], respond: Respond) {
    this.addresses = addresses;
    this.#respond = respond;
  }

  /** Resolves when it answers; `failed` is called if it ever stops doing so by itself. */
  async open(netns: string, failed: () => void): Promise<void> {
    const port = resolverPort;
    const sockets = await bindSockets({ netns, addresses: this.addresses, port });
    if (this.#isClosed) {
      closeSockets(sockets);
      return;
    }
    this.#sockets = sockets;
    this.#failed = failed;
    for (const socket of sockets.datagrams) this.#serveDatagrams(socket);
    for (const server of sockets.streams) this.#serveStreams(server);
  }

  /** Lets go of the namespace: a socket would keep it alive without a name. */
  close(): void {
    this.#isClosed = true;
    this.#failed = null;
    if (this.#sockets !== null) closeSockets(this.#sockets);
    this.#sockets = null;
    for (const stream of this.#streams) stream.destroy();
  }

  /** Null: nothing to say, or more than can be said at once. */
  async #answer(message: Buffer, via: Via, from: string): Promise<Buffer | null> {
    if (this.#busy >= maxBusy) return null;
    this.#busy += 1;
    try {
      const answer = await this.#respond(message, via, from);
      return this.#isClosed ? null : answer;
    } finally {
      this.#busy -= 1;
    }
  }

  #fail(): void {
    const failed = this.#failed;
    this.close();
    failed?.();
  }

  #serveDatagrams(socket: Socket): void {
    socket.on('error', () => this.#fail());
    socket.on('message', (message, { port, address }) => {
      void this.#answer(message, 'datagram', address).then((answer) => {
        if (answer !== null) socket.send(answer, port, address, () => undefined);
      });
    });
  }

  #serveStreams(server: Server): void {
    server.maxConnections = maxStreams;
    server.on('error', () => this.#fail());
    server.on('connection', (stream) => {
      this.#streams.add(stream);
      stream.on('close', () => this.#streams.delete(stream));
      stream.on('error', () => stream.destroy());
      stream.setTimeout(streamIdleMs, () => stream.destroy());
      let held: Buffer = Buffer.alloc(0);
      stream.on('data', (part: Buffer) => {
        held = this.#answerStream(stream, Buffer.concat([held, part]));
      });
    });
  }

  /** Returns what is not whole yet. */
  #answerStream(stream: Stream, held: Buffer): Buffer {
    let rest = held;
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      void this.#answer(rest.subarray(2, end), 'stream', stream.remoteAddress ?? '').then(
        (answer) => {
          if (answer === null || stream.writableLength > maxUnreadBytes) stream.destroy();
          else if (!stream.destroyed) stream.write(withLength(answer));
        },
      );
      rest = rest.subarray(end);
    }
    return rest;
  }
}
