// How the gateway asks: it waits out an election, and says `no_leader` where nobody serves what only a leader serves. A single
// replica is asked once: whether it lives is what people want to know, or whether there is one of that name.

import { setTimeout as delay } from 'node:timers/promises';
import {
  clusterStatusContract,
  SkeinError,
  type Contract,
  type ReplyOf,
  type RequestOf,
} from '@skein/contracts';
import type { Messenger, RequestOptions } from '@skein/messaging';

const servedByLeader = new Set(['store', 'consensus']);
/** What a service says of a leader that has just gone or come. It says so only of what was not done and will not be. */
const electionCodes = new Set(['not_leader', 'term_not_opened']);
const maxTries = 6;
const pauseMs = 200;
const membersTimeoutMs = 1_000;

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
      const members = await this.#members();
      if (members !== undefined && !members.includes(replica)) {
        const facts = { replica, members: members.join(', ') };
        const message = `The cluster has no replica '${replica}'`;
        throw new SkeinError('member_not_found', message, { facts, cause });
      }
      const facts = { replica };
      throw new SkeinError('unavailable', `'${replica}' does not answer`, { facts, cause });
    }
  }

  /** Undefined while nobody leads: then nobody can tell. */
  async #members(): Promise<string[] | undefined> {
    const options = { timeoutMs: membersTimeoutMs };
    const told = await this.#messenger
      .request(clusterStatusContract, {}, options)
      .catch(() => undefined);
    return told === undefined || told.leaderId === null
      ? undefined
      : told.members.map(({ id }) => id);
  }
}
