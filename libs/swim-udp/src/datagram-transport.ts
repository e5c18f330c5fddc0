// The member's UDP side: one socket, frames in and out. A packet that cannot be sent is lost, as packets may be; it is
// told of, never thrown. Knows nothing of the protocol's messages.

import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { formatAddress, type SocketAddress } from './socket-address';

/** Asked of the system, so that a stall does not lose what arrives meanwhile; it gives what it allows. */
const receiveBufferBytes = 2 * 1_024 * 1_024;

export interface DatagramHandlers {
  received(packet: Uint8Array, from: string): void;
  failed(what: string, cause: Error): void;
}

export class DatagramTransport {
  readonly #socket: Socket;
  readonly #handlers: DatagramHandlers;
  #isOpen = false;

  constructor(handlers: DatagramHandlers, host: string) {
    this.#handlers = handlers;
    this.#socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    this.#socket.on('message', (packet, remote) => {
      handlers.received(packet, formatAddress({ host: remote.address, port: remote.port }));
    });
  }

  async bind({ host, port }: SocketAddress): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind({ address: host, port, exclusive: true }, () => {
        this.#socket.off('error', reject);
        this.#socket.on('error', (cause) => this.#handlers.failed('receive', cause));
        resolve();
      });
    });
    this.#isOpen = true;
    try {
      this.#socket.setRecvBufferSize(receiveBufferBytes);
    } catch (cause) {
      this.#handlers.failed('setRecvBufferSize', cause as Error);
    }
  }

  send(to: SocketAddress, packet: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#socket.send(packet, to.port, to.host, (cause) => {
      if (cause !== null) this.#handlers.failed('send', cause);
    });
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}
