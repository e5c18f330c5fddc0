// One network's resolver: the sockets on its gateway addresses, answering by the zone that it was given last. Opening takes a
// while and may fail; whoever owns it tries again.

import type { Socket } from 'node:dgram';
import type { Server, Socket as Stream } from 'node:net';
import { bindSockets, closeSockets, type BoundSockets } from './bind-sockets';
import { answerMessage } from './dns-message';
import type { Zone } from './zone';

export const resolverPort = 53;
const streamIdleMs = 10_000;
const maxStreams = 64;

export class Resolver {
  readonly addresses: readonly string[];
  #zone: Zone | null = null;
  #sockets: BoundSockets | null = null;
  readonly #streams = new Set<Stream>();
  #turn = 0;
  #isClosed = false;
  #failed: (() => void) | null = null;

  constructor(addresses: readonly string[]) {
    this.addresses = addresses;
  }

  set zone(zone: Zone) {
    this.#zone = zone;
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

  #answer(message: Buffer, via: 'datagram' | 'stream'): Buffer | null {
    this.#turn = (this.#turn + 1) % 0x10000;
    return this.#zone === null
      ? null
      : answerMessage(message, this.#zone, { via, turn: this.#turn });
  }

  #fail(): void {
    const failed = this.#failed;
    this.close();
    failed?.();
  }

  #serveDatagrams(socket: Socket): void {
    socket.on('error', () => this.#fail());
    socket.on('message', (message, { port, address }) => {
      const answer = this.#answer(message, 'datagram');
      if (answer !== null && !this.#isClosed) socket.send(answer, port, address, () => undefined);
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

  /** Messages are preceded by their length in two bytes (RFC 1035 §4.2.2); returns what is not whole yet. */
  #answerStream(stream: Stream, held: Buffer): Buffer {
    let rest = held;
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      const answer = this.#answer(rest.subarray(2, end), 'stream');
      rest = rest.subarray(end);
      if (answer === null) {
        stream.destroy();
        return Buffer.alloc(0);
      }
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      stream.write(Buffer.concat([length, answer]));
    }
    return rest;
  }
}
