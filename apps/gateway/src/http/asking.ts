// How the gateway asks: it waits out an election, and says `no_leader` where nobody serves what only a leader serves.

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
    try {
      return await this.#messenger.request(contract, body, { retryUnavailable: true, ...options });
    } catch (thrown) {
      const error = SkeinError.from(thrown);
      const isLeaderGone = error.code === 'unavailable' && servedByLeader.has(contract.service);
      if (!isLeaderGone || !this.connected) throw error;
      throw new SkeinError('no_leader', 'There is no leader at the moment', { cause: thrown });
    }
  }
}
