// Reports this host to the registry: registers until that works, then says at each beat that it lives, what it has programmed
// and what its gossip thinks. Registers again when it is told to.

import {
  heartbeatContract,
  registerHostContract,
  SkeinError,
  type ReplyOf,
  type RequestOf,
} from '@skein/contracts';
import type { Logger, Messenger } from '@skein/messaging';
import type { Time } from '@skein/time';

export interface DutyOptions {
  readonly messenger: Pick<Messenger, 'request'>;
  readonly time: Pick<Time, 'after'>;
  readonly logger: Logger;
  readonly registration: () => RequestOf<typeof registerHostContract>;
  readonly heartbeat: () => RequestOf<typeof heartbeatContract>;
  readonly onRegistered: (reply: ReplyOf<typeof registerHostContract>) => void;
}

export const heartbeatMs = 500;
const firstRetryMs = 200;
const longestRetryMs = 3_000;
const requestTimeoutMs = 3_000;

export class Duty {
  readonly #options: DutyOptions;
  #cancel: (() => void) | undefined;
  #isStopped = false;
  #isRegistered = false;
  #retryMs = firstRetryMs;

  constructor(options: DutyOptions) {
    this.#options = options;
  }

  start(): void {
    this.#after(0);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #after(delayMs: number): void {
    if (this.#isStopped) return;
    this.#cancel = this.#options.time.after(delayMs, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    try {
      if (this.#isRegistered) await this.#heartbeat();
      else await this.#register();
      this.#retryMs = firstRetryMs;
      this.#after(this.#isRegistered ? heartbeatMs : 0);
    } catch (thrown) {
      const { code, message } = SkeinError.from(thrown);
      this.#options.logger.warn({ code, fault: message }, 'the registry was not reached');
      this.#after(this.#isRegistered ? heartbeatMs : this.#retryMs);
      this.#retryMs = Math.min(longestRetryMs, this.#retryMs * 2);
    }
  }

  async #register(): Promise<void> {
    const { messenger, registration, onRegistered, logger } = this.#options;
    const reply = await messenger.request(registerHostContract, registration(), {
      timeoutMs: requestTimeoutMs,
    });
    this.#isRegistered = true;
    logger.info({ revision: reply.revision, peers: reply.peers.length }, 'registered');
    if (!this.#isStopped) onRegistered(reply);
  }

  async #heartbeat(): Promise<void> {
    const { messenger, heartbeat } = this.#options;
    const reply = await messenger.request(heartbeatContract, heartbeat(), {
      timeoutMs: requestTimeoutMs,
    });
    if (reply.registerAgain) this.#isRegistered = false;
  }
}
