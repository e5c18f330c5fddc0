// The Docker door of one host: what its engine asks of Skein as a network and address plugin.

import { fixedReply, type Call } from '@skein/docker-plugin';
import type { Logger } from '@skein/messaging';
import { PluginServer } from './plugin-server';

export interface DockerDoorOptions {
  readonly pluginSocket: string;
  readonly logger: Logger;
}

export class DockerDoor {
  readonly #server: PluginServer;

  constructor({ pluginSocket: socket, logger }: DockerDoorOptions) {
    this.#server = new PluginServer({ socket, answer: (call) => this.#answer(call), logger });
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  #answer({ method }: Call): Promise<object> {
    const reply = fixedReply(method);
    if (reply !== undefined) return Promise.resolve(reply);
    return Promise.reject(new Error(`unavailable: ${method} is not served by this agent`));
  }
}
