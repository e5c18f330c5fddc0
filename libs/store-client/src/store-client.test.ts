// The client against a leader that dies: what was in one message is sent again, and each write is done once.

import { describe, expect, it } from '@jest/globals';
import { type Contract, SkeinError } from '@skein/contracts';
import type { Messenger } from '@skein/messaging';
import { createStore, type StoreReply, type StoreRequest } from '@skein/store';
import { StoreClient } from './store-client';

type LeaderNews = (news: { leaderId: string }) => void;

/** A state machine behind a messenger; answers are lost while nobody leads. */
class LossyCluster {
  readonly store = createStore();
  readonly verbs: string[] = [];
  losesAnswers = true;
  private tell: LeaderNews = () => undefined;

  get messenger(): Messenger {
    const subscribeEvent = (_event: unknown, handler: LeaderNews) => {
      this.tell = handler;
      return { unsubscribe: () => undefined };
    };
    const request = (contract: Contract, body: object) => this.request(contract, body);
    return { subscribeEvent, request } as never;
  }

  elect(leaderId: string): void {
    this.losesAnswers = false;
    this.tell({ leaderId });
  }

  private async request(contract: Contract, body: object): Promise<unknown> {
    this.verbs.push(contract.verb);
    const isBatch = contract.verb === 'batch';
    const requests = isBatch
      ? (body as { requests: StoreRequest[] }).requests
      : [{ type: contract.verb, ...body } as StoreRequest];
    const replies = requests.map((each) => this.apply(each));
    if (this.losesAnswers) return new Promise(() => undefined);
    return isBatch ? { replies } : replies[0]?.reply;
  }

  private apply(request: StoreRequest): { ok: boolean; reply: StoreReply | undefined } {
    const index = this.store.status.appliedIndex + 1;
    const [outcome] = this.store.apply(index, { at: index, requests: [request] });
    if (outcome?.ok !== true) throw new SkeinError('internal', 'a refusal was not expected');
    return { ok: true, reply: outcome.reply };
  }
}

describe('store client', () => {
  it('sends a batch again to a new leader, and each write is done once', async () => {
    const cluster = new LossyCluster();
    const client = StoreClient.connect(cluster.messenger);
    const keys = ['a', 'b', 'c', 'd'];
    const puts = keys.map((key) => client.put({ key, value: '1' }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(cluster.store.status.revision).toBe(keys.length);
    cluster.elect('m2');
    const replies = await Promise.all(puts);
    // Done by the old leader, in order; the new one repeats the answers.
    expect(replies.map(({ revision }) => revision)).toEqual([1, 2, 3, 4]);
    expect(cluster.store.status.revision).toBe(keys.length);
    expect(cluster.verbs[0]).toBe('batch');
    client.close();
  });

  it('sends each call by itself if it is told to', async () => {
    const cluster = new LossyCluster();
    cluster.losesAnswers = false;
    const client = StoreClient.connect(cluster.messenger, { batching: false });
    await Promise.all(['a', 'b'].map((key) => client.put({ key, value: '1' })));
    expect(cluster.verbs).toEqual(['put', 'put']);
    client.close();
  });
});
