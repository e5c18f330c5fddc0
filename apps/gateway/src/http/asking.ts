// How the gateway asks: it waits out an election, and says `no_leader` where nobody serves what only a leader serves. A single
// replica is asked once: whether it lives is what people want to know.

import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError, type Contract, type ReplyOf, type RequestOf } from '@skein/contracts';
import type { Messenger, RequestOptions } from '@skein/messaging';

const servedByLeader = new Set(['store', 'consensus']);
/** What a service says of a leader that has just gone or come. It says so only of what was not done and will not be. */
const electionCodes = new Set(['not_leader', 'term_not_opened']);
const maxTries = 6;
const pauseMs = 200;

export class Asking {
  readonly #messenger: Pick<Messenger, 'request' | 'connected'>;

  constructor(messenger: Pick<Messenger, 'request' | 'connected'>) {
    this.#messenger = messenger;
  }

  get connected(): boolean {
    return this.#messenger.connected;
  }

  async request<C extends Contract>(
    contract: C,
    body: RequestOf<C>,
    options: RequestOptions = {},
  ): Promise<ReplyOf<C>> {
    const { instance } = options;
    if (instance !== undefined) return this.#askReplica(contract, body, { ...options, instance });
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#messenger.request(contract, body, {
          retryUnavailable: true,
          ...options,
        });
      } catch (thrown) {
        const { code } = SkeinError.from(thrown);
        const isElection = electionCodes.has(code);
        if (isElection && tries < maxTries) {
          await delay(pauseMs);
          continue;
        }
        const isLeaderGone = code === 'unavailable' && servedByLeader.has(contract.service);
        if (!isElection && (!isLeaderGone || !this.connected)) throw thrown;
        throw new SkeinError('no_leader', 'There is no leader at the moment', { cause: thrown });
      }
    }
  }

  async #askReplica<C extends Contract>(
    contract: C,
    body: RequestOf<C>,
    options: RequestOptions & { readonly instance: string },
  ): Promise<ReplyOf<C>> {
    try {
      return await this.#messenger.request(contract, body, options);
    } catch (cause) {
      const { code } = SkeinError.from(cause);
      if (code !== 'unavailable' || !this.connected) throw cause;
      const { instance: replica } = options;
      const facts = { replica };
      throw new SkeinError('unavailable', `'${replica}' does not answer`, { facts, cause });
    }
  }
}
