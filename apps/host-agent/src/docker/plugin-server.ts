// The plugin's socket: HTTP as Docker engines speak it, which is without a content type, at times without a body, and with errors
// in a reply of status 200. What a call means is the door's matter.

import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorBody, isMethod, readCall, type Call } from '@skein/docker-plugin';
import type { Logger } from '@skein/messaging';
import fastify, { type FastifyInstance } from 'fastify';

export interface PluginServerOptions {
  readonly socket: string;
  /** Answers the body of the reply; rejects with what the engine is to be told. */
  readonly answer: (call: Call) => Promise<object>;
  readonly logger: Logger;
}

/** Plugins of the old kind have no deadline in the engine, which holds a lock meanwhile: no call takes longer than this. */
export const callTimeoutMs = 9_000;
const maxBodyBytes = 256 * 1_024;

export class PluginServer {
  readonly #options: PluginServerOptions;
  readonly #server: FastifyInstance;

  constructor(options: PluginServerOptions) {
    this.#options = options;
    this.#server = fastify({ bodyLimit: maxBodyBytes, forceCloseConnections: true });
    this.#server.removeAllContentTypeParsers();
    this.#server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) =>
      done(null, body),
    );
    this.#server.post<{ Params: { method: string } }>('/:method', async (request, reply) => {
      const { method } = request.params;
      const body = typeof request.body === 'string' ? request.body : '';
      const answered = await this.#answer(method, body);
      return reply
        .code(answered === null ? 404 : 200)
        .type('application/vnd.docker.plugins.v1.2+json')
        .send(JSON.stringify(answered ?? errorBody(method, `${method} is not known here`)));
    });
  }

  /** A socket that an earlier life has left is taken over. */
  async start(): Promise<void> {
    const { socket, logger } = this.#options;
    mkdirSync(dirname(socket), { recursive: true });
    rmSync(socket, { force: true });
    await this.#server.listen({ path: socket });
    chmodSync(socket, 0o600);
    logger.info({ socket }, 'Docker finds the network plugin here');
  }

  async stop(): Promise<void> {
    await this.#server.close();
    rmSync(this.#options.socket, { force: true });
  }

  /** Null for a method that there is not. Never rejects. */
  async #answer(method: string, body: string): Promise<object | null> {
    if (!isMethod(method)) return null;
    const read = readCall(method, body);
    if (!read.ok) return errorBody(method, `invalid_request: ${read.field}: ${read.message}`);
    try {
      return await this.#inTime(read.call);
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      this.#options.logger.warn({ method, fault: message }, 'a call of the engine was refused');
      return errorBody(method, message);
    }
  }

  async #inTime(call: Call): Promise<object> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `deadline_exceeded: no answer within ${callTimeoutMs} ms`;
      timer = setTimeout(() => reject(new Error(message)), callTimeoutMs);
    });
    try {
      return await Promise.race([this.#options.answer(call), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
