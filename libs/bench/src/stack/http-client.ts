// A lean HTTP/1.1 client for closed loops: one connection, one request at a time, bodies of known length. It takes as little of
// the machine as it can, since the machine is what is measured. Knows no routes.

import { connect, type Socket } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

interface Pending {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
}

const headEnd = Buffer.from('\r\n\r\n');

export class HttpClient {
  readonly #socket: Socket;
  readonly #head: string;
  #received: Buffer = Buffer.alloc(0);
  #pending: Pending | undefined;

  private constructor(socket: Socket, url: URL, token: string) {
    this.#socket = socket;
    this.#head = `host: ${url.host}\r\nauthorization: Bearer ${token}\r\n`;
    socket.setNoDelay(true);
    socket.on('data', (data) => this.#take(data));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the gateway closed the connection')));
  }

  static open(address: string, token: string): Promise<HttpClient> {
    const url = new URL(address);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(url.port), url.hostname, () => {
        socket.off('error', reject);
        resolve(new HttpClient(socket, url, token));
      });
      socket.once('error', reject);
    });
  }

  /** Rejects where the connection fails; any status is an answer. */
  request(method: string, path: string, body?: unknown, more = ''): Promise<HttpAnswer> {
    if (this.#pending !== undefined) throw new Error('one request at a time');
    const text = body === undefined ? '' : JSON.stringify(body);
    const type = body === undefined ? '' : 'content-type: application/json\r\n';
    const length = body === undefined ? '' : `content-length: ${Buffer.byteLength(text)}\r\n`;
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      const head = `${method} ${path} HTTP/1.1\r\n${this.#head}${type}${length}${more}\r\n`;
      this.#socket.write(head + text);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    const at = this.#received.indexOf(headEnd);
    if (at < 0) return;
    const head = this.#received.toString('latin1', 0, at);
    const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const start = at + headEnd.length;
    if (this.#received.length < start + length) return;
    const answer = {
      status: Number(head.slice(9, 12)),
      body: this.#received.toString('utf8', start, start + length),
    };
    this.#received = this.#received.subarray(start + length);
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#pending?.reject(error);
    this.#pending = undefined;
  }
}
