// What shares a message, in which order, and that each request keeps its own answer, refusal and deadline.

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  batchContract,
  type BatchedReply,
  type Contract,
  maxBatchCharacters,
  maxBatchRequests,
  SkeinError,
} from '@skein/contracts';
import { Deadline } from '@skein/messaging';
import { Batcher, maxBatchesInFlight } from './batcher';

interface Sent {
  readonly verb: string;
  readonly keys: string[];
  readonly answer: (reply: unknown) => void;
  readonly fail: (error: SkeinError) => void;
}

/** Each message as it was sent, to be answered by the test. */
function recorded() {
  const sent: Sent[] = [];
  const request = (contract: Contract, body: object): Promise<never> => {
    const { requests = [body] } = body as { requests?: object[] };
    return new Promise((resolve, reject) => {
      sent.push({
        verb: contract.verb,
        keys: requests.map((each) => (each as { key: string }).key),
        answer: resolve as (reply: unknown) => void,
        fail: reject,
      });
    });
  };
  return { sent, ports: { request } as never };
}

const inTime = (): Deadline => Deadline.after(60_000);
const put = (batcher: Batcher, key: string, deadline = inTime(), value = 'v') =>
  batcher.send('put', { key, value }, deadline, {});
const get = (batcher: Batcher, key: string, deadline = inTime()) =>
  batcher.send('range', { key }, deadline, {});
/** Lets every microtask and every next tick run. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    (error: SkeinError) => error.code,
  );
const done = (revision: number): BatchedReply => ({ ok: true, reply: { revision } });

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('batcher', () => {
  it('sends the calls of a turn, and what their continuations call, in one message, in order', async () => {
    const { sent, ports } = recorded();
    const batcher = new Batcher(ports, true);
    void put(batcher, 'a');
    void Promise.resolve()
      .then(() => undefined)
      .then(() => put(batcher, 'b'));
    void put(batcher, 'c');
    await turn();
    expect(sent.map(({ verb, keys }) => [verb, keys])).toEqual([['batch', ['a', 'c', 'b']]]);
  });

  it('sends a call alone as itself', async () => {
    const { sent, ports } = recorded();
    const call = put(new Batcher(ports, true), 'a');
    await turn();
    sent[0]?.answer({ revision: 7 });
    expect(sent[0]?.verb).toBe('put');
    expect(await call).toEqual({ revision: 7 });
  });

  it('gathers what comes while its batches are on their way', async () => {
    const { sent, ports } = recorded();
    const batcher = new Batcher(ports, true);
    for (let at = 0; at < maxBatchesInFlight + 3; at += 1) {
      void put(batcher, `k${at}`);
      await turn();
    }
    expect(sent).toHaveLength(maxBatchesInFlight);
    sent[0]?.answer({ revision: 1 });
    await turn();
    expect(sent.at(-1)).toMatchObject({ verb: 'batch', keys: ['k2', 'k3', 'k4'] });
  });

  it('gives each its own answer or refusal', async () => {
    const { sent, ports } = recorded();
    const batcher = new Batcher(ports, true);
    const calls = ['a', 'b', 'c'].map((key) => put(batcher, key));
    const codes = Promise.all(calls.map(codeOf));
    await turn();
    const error = { code: 'lease_not_found', message: 'no', field: 'lease' };
    sent[0]?.answer({ replies: [done(1), { ok: false, error }, done(2)] });
    expect(await codes).toEqual(['answered', 'lease_not_found', 'answered']);
    expect(await calls[2]).toEqual({ revision: 2 });
  });

  it('asks alone for an answer that did not fit', async () => {
    const { sent, ports } = recorded();
    const batcher = new Batcher(ports, false);
    const [, second] = [get(batcher, 'a'), get(batcher, 'b')];
    await turn();
    sent[0]?.answer({ replies: [{ ok: true, reply: {} }, { ok: 'alone' }] });
    await turn();
    expect(sent[1]).toMatchObject({ verb: 'range', keys: ['b'] });
    sent[1]?.answer({ count: 1 });
    expect(await second).toEqual({ count: 1 });
  });

  it('splits by size and by number, in order', async () => {
    const { sent, ports } = recorded();
    const large = new Batcher(ports, true);
    const value = 'v'.repeat(maxBatchCharacters / 2);
    for (const key of ['a', 'b', 'c']) void put(large, key, inTime(), value);
    await turn();
    expect(sent.map(({ keys }) => keys)).toEqual([['a'], ['b']]);
    sent.length = 0;
    const many = new Batcher(ports, true);
    for (let at = 0; at < maxBatchRequests + 1; at += 1) void put(many, `${at}`);
    await turn();
    expect(sent.map(({ keys }) => keys.length)).toEqual([maxBatchRequests, 1]);
  });

  it('fails all of a batch that reached nobody, each by itself', async () => {
    const { sent, ports } = recorded();
    const batcher = new Batcher(ports, true);
    const codes = Promise.all([codeOf(put(batcher, 'a')), codeOf(put(batcher, 'b'))]);
    await turn();
    sent[0]?.fail(new SkeinError('unavailable', 'nobody serves it'));
    expect(await codes).toEqual(['unavailable', 'unavailable']);
  });

  it('does not let batches of a leader that is gone hold up those for the next', async () => {
    const { sent, ports } = recorded();
    const batcher = new Batcher(ports, true);
    for (let at = 0; at < maxBatchesInFlight; at += 1) {
      void put(batcher, `old${at}`).catch(() => undefined);
      await turn();
    }
    void put(batcher, 'new');
    await turn();
    expect(sent).toHaveLength(maxBatchesInFlight);
    batcher.leaderChanged();
    await turn();
    expect(sent.at(-1)?.keys).toEqual(['new']);
    // Late answers of the old one must not count as room that the new one has.
    for (const each of sent.slice(0, maxBatchesInFlight)) each.answer({ revision: 1 });
    await turn();
    for (const key of ['n1', 'n2', 'n3']) {
      void put(batcher, key);
      await turn();
    }
    expect(sent).toHaveLength(maxBatchesInFlight + maxBatchesInFlight);
  });
});

describe('deadline in a batch', () => {
  it.each([
    ['a write', true, 'unknown_outcome'],
    ['a read', false, 'deadline_exceeded'],
  ] as const)('is its own: %s', async (_what, isForWrites, code) => {
    const { sent, ports } = recorded();
    const batcher = new Batcher(ports, isForWrites);
    const ask = isForWrites ? put : get;
    const hurried = codeOf(ask(batcher, 'hurried', Deadline.after(50)));
    const patient = codeOf(ask(batcher, 'patient', Deadline.after(5_000)));
    await turn();
    await jest.advanceTimersByTimeAsync(60);
    expect(await hurried).toBe(code);
    sent[0]?.answer({ replies: [done(1), done(2)] });
    expect(await patient).toBe('answered');
  });

  it('of a write that was never sent leaves nothing open', async () => {
    const { sent, ports } = recorded();
    const batcher = new Batcher(ports, true);
    for (let at = 0; at < maxBatchesInFlight; at += 1) {
      void put(batcher, `k${at}`).catch(() => undefined);
      await turn();
    }
    const code = codeOf(put(batcher, 'waiting', Deadline.after(50)));
    await turn();
    await jest.advanceTimersByTimeAsync(60);
    expect(await code).toBe('unavailable');
    sent[0]?.answer({ revision: 1 });
    await turn();
    expect(sent).toHaveLength(maxBatchesInFlight);
  });

  it('reaches the server as the latest of all', async () => {
    const deadlines: Deadline[] = [];
    const request = (contract: Contract, _body: object, deadline: Deadline): Promise<never> => {
      if (contract === batchContract) deadlines.push(deadline);
      return new Promise(() => undefined);
    };
    const batcher = new Batcher({ request } as never, true);
    const last = Deadline.after(9_000);
    for (const [key, deadline] of [
      ['a', Deadline.after(50)],
      ['b', last],
    ] as const) {
      void put(batcher, key, deadline).catch(() => undefined);
    }
    await turn();
    expect(deadlines).toEqual([last]);
  });
});
