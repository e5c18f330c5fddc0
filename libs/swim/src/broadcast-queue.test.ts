// The gossip queue: order, invalidation, limit.

import { describe, expect, it } from '@jest/globals';
import { BroadcastQueue } from './broadcast-queue';
import type { OpinionMessage } from './message';
import { encodeSwimMessage } from './wire/message-codec';

function suspect(name: string, accuser = 'x'): OpinionMessage {
  return { kind: 'suspect', name, incarnation: 1, accuser };
}

const plenty = { budget: 1_000, overhead: 2, limit: 2, parts: 255 };

describe('broadcast queue', () => {
  it('replaces an opinion by a newer one about the same member', () => {
    const queue = new BroadcastQueue();
    queue.push(suspect('a'));
    queue.push({ kind: 'dead', name: 'a', incarnation: 1, accuser: 'y' });
    expect(queue.take(plenty)).toEqual([{ kind: 'dead', name: 'a', incarnation: 1, accuser: 'y' }]);
  });

  it('sends an opinion as often as the limit says', () => {
    const queue = new BroadcastQueue();
    queue.push(suspect('a'));
    expect([1, 2, 3].map(() => queue.take(plenty).length)).toEqual([1, 1, 0]);
    expect(queue.size).toBe(0);
  });

  it('prefers the least sent, then the longest, then the newest', () => {
    const queue = new BroadcastQueue();
    queue.push(suspect('old'));
    queue.take({ ...plenty, limit: 9 });
    queue.push(suspect('a'));
    queue.push(suspect('b'));
    queue.push(suspect('longer'));
    const names = queue.take(plenty).map((message) => message.name);
    expect(names).toEqual(['longer', 'b', 'a', 'old']);
  });

  it('fills a budget of bytes without passing it', () => {
    const queue = new BroadcastQueue();
    queue.push(suspect('a-rather-long-name'));
    queue.push(suspect('b'));
    const cost = encodeSwimMessage(suspect('b')).length + 2;
    expect(queue.take({ ...plenty, budget: cost })).toEqual([suspect('b')]);
    expect(queue.take({ ...plenty, budget: cost - 1 })).toEqual([]);
  });
});
