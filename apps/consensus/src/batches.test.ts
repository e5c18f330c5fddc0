// Requests that come together are answered each by itself: a bad one, or a refused one, harms no other.

import { describe, expect, it } from '@jest/globals';
import {
  type BatchedReply,
  maxBatchCharacters,
  putContract,
  rangeContract,
  SkeinError,
} from '@skein/contracts';
import { Deadline } from '@skein/messaging';
import { Batches, fitting } from './batches';

const context = { requestId: 'r', deadline: Deadline.after(5_000), subject: 's' };

function batches() {
  const asked: string[] = [];
  const made = new Batches();
  made.answeredBy(putContract, async ({ key }) => {
    asked.push(key);
    await Promise.resolve();
    if (key === 'refused') throw new SkeinError('lease_not_found', 'no', { field: 'lease' });
    return { revision: asked.length };
  });
  made.answeredBy(rangeContract, ({ key }) => {
    asked.push(key);
    return { revision: 9, kvs: [], count: 0, more: false };
  });
  return { made, asked };
}

const put = (key: string) => ({ type: 'put' as const, key, value: 'v' });

describe('batches', () => {
  it('asks in order, all before any is answered', async () => {
    const { made, asked } = batches();
    const answer = made.answer(
      { requests: [put('a'), { type: 'range', key: 'b' }, put('c')] },
      context,
    );
    expect(asked).toEqual(['a', 'b', 'c']);
    const { replies } = await answer;
    expect(replies.map(({ ok }) => ok)).toEqual([true, true, true]);
  });

  it('refuses one and answers the others', async () => {
    const { made } = batches();
    const { replies } = await made.answer(
      {
        requests: [
          put('a'),
          put('refused'),
          { type: 'put', key: 7 },
          { type: 'range', key: 'b', limt: 1 },
          { type: 'delete', key: 'x' },
          put('c'),
        ],
      },
      context,
    );
    expect(replies).toMatchObject([
      { ok: true, reply: { revision: 3 } },
      { ok: false, error: { code: 'lease_not_found', field: 'lease' } },
      { ok: false, error: { code: 'invalid_request', field: 'key' } },
      { ok: false, error: { code: 'invalid_request', field: 'limt' } },
      { ok: false, error: { code: 'unavailable' } },
      { ok: true, reply: { revision: 3 } },
    ]);
  });
});

describe('fitting', () => {
  const reply = (characters: number): BatchedReply => ({
    ok: true,
    reply: { kvs: [{ key: 'k', value: 'v'.repeat(characters) }] },
  });

  it('sends the first whatever its size, and has the others that do not fit asked for alone', () => {
    const kept = fitting([reply(maxBatchCharacters * 2), reply(10), { ok: true, reply: {} }]);
    expect(kept.map(({ ok }) => ok)).toEqual([true, 'alone', true]);
  });

  it('leaves what fits as it is', () => {
    const replies = [reply(1_000), reply(maxBatchCharacters / 2), reply(1_000)];
    expect(fitting(replies)).toEqual(replies);
  });
});
