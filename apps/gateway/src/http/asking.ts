// How the gateway asks: it waits out an election, and says `no_leader` where nobody serves what only a leader serves. A single
// replica is asked once: whether it lives is what people want to know.

import { SkeinError, type Contract, type ReplyOf, type RequestOf } from '@skein/contracts';
import type { Messenger, RequestOptions } from '@skein/messaging';

const servedByLeader = new Set(['store', 'consensus']);

export class Asking {
  readonly #messenger: Messenger;

  constructor(messenger: Messenger) {
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
    try {
      const retryUnavailable = instance === undefined;
      return await this.#messenger.request(contract, body, { retryUnavailable, ...options });
    } catch (thrown) {
      const error = SkeinError.from(thrown);
      if (error.code === 'unavailable' && instance !== undefined && this.connected) {
        const facts = { replica: instance };
        throw new SkeinError('unavailable', `'${instance}' does not answer`, {
          facts,
          cause: thrown,
        });
      }
      const isLeaderGone = error.code === 'unavailable' && servedByLeader.has(contract.service);
      if (!isLeaderGone || !this.connected) throw error;
      throw new SkeinError('no_leader', 'There is no leader at the moment', { cause: thrown });
    }
  }
}
