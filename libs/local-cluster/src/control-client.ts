// The outside end of the control socket: typed calls to a local cluster's supervisor.

import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { SkeinError } from '@skein/contracts';
import type { ControlMethod, ControlParams, ControlResult } from './control-protocol';

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class ControlClient {
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  private constructor(private readonly socket: Socket) {
    createInterface({ input: socket }).on('line', (line) => this.#receive(line));
    const gone = () => {
      const error = new SkeinError('unavailable', 'the local cluster has ended');
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
    };
    socket.on('close', gone);
    socket.on('error', gone);
  }

  static connect(path: string): Promise<ControlClient> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(path);
      socket.once('connect', () => resolve(new ControlClient(socket)));
      socket.once('error', (cause) => {
        reject(new SkeinError('unavailable', 'the local cluster does not answer', { cause }));
      });
    });
  }

  call<M extends ControlMethod>(method: M, params: ControlParams<M>): Promise<ControlResult<M>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) {
        reject(new SkeinError('unavailable', 'the local cluster has ended'));
        return;
      }
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.socket.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  #receive(text: string): void {
    const line = JSON.parse(text) as { id: number; result?: unknown; error?: unknown };
    const waiting = this.#waiting.get(line.id);
    this.#waiting.delete(line.id);
    if (line.error === undefined) waiting?.resolve(line.result);
    else waiting?.reject(SkeinError.fromBody(line.error));
  }
}
