// What is sent again, with what number, and what a caller is told when time runs out.

import { describe, expect, it } from '@jest/globals';
import { SkeinError, type ErrorCode } from '@skein/contracts';
import { Deadline } from '@skein/messaging';
import { maxWritesInFlight, OnceNumbers, type Once } from './once-numbers';
import { systemTime } from '@skein/time';
import { callWithRetry, LeaderSignal } from './retry';

const error = (code: ErrorCode, facts = {}) => new SkeinError(code, code, { facts });

function call(answers: (SkeinError | string)[], options = { isWrite: true, timeoutMs: 5_000 }) {
  let sent = 0;
  const signal = new LeaderSignal();
  const answer = callWithRetry({
    send: async () => {
      const next = answers[Math.min(sent, answers.length - 1)];
      sent += 1;
      if (next instanceof SkeinError) throw next;
      return next;
    },
    deadline: Deadline.after(options.timeoutMs),
    signal,
    time: systemTime,
    chance: () => 0.5,
    isWrite: options.isWrite,
  });
  return { answer, sent: () => sent };
}

describe('a call', () => {
  it.each(['unavailable', 'not_leader', 'no_leader', 'unknown_outcome', 'overloaded'] as const)(
    'is sent again after %s',
    async (code) => {
      const { answer, sent } = call([error(code), 'done']);
      expect(await answer).toBe('done');
      expect(sent()).toBe(2);
    },
  );

  it('is not sent again after a refusal', async () => {
    const { answer, sent } = call([error('lease_not_found'), 'done']);
    await expect(answer).rejects.toMatchObject({ code: 'lease_not_found' });
    expect(sent()).toBe(1);
  });

  it.each([
    ['a write that may have run', true, error('deadline_exceeded'), 'unknown_outcome'],
    [
      'a write lost with its leader',
      true,
      error('unavailable', { outcome: 'unknown' }),
      'unknown_outcome',
    ],
    ['a write that nobody received', true, error('unavailable'), 'unavailable'],
    ['a write whose answer is forgotten', true, error('request_superseded'), 'unknown_outcome'],
    ['a read', false, error('deadline_exceeded'), 'deadline_exceeded'],
  ] as const)('out of time: %s', async (_what, isWrite, last, code) => {
    const { answer } = call([last], { isWrite, timeoutMs: 30 });
    await expect(answer).rejects.toMatchObject({ code });
  });

  it('is sent to a new leader at once, whatever the old one still does', async () => {
    const signal = new LeaderSignal();
    let sent = 0;
    const answer = callWithRetry({
      send: () => {
        sent += 1;
        return sent === 1 ? new Promise<string>(() => undefined) : Promise.resolve('done');
      },
      deadline: Deadline.after(5_000),
      signal,
      time: systemTime,
      chance: () => 0.5,
      isWrite: true,
    });
    signal.raise();
    expect(await answer).toBe('done');
    expect(sent).toBe(2);
  });
});

describe('numbers of writes', () => {
  it('ascend, and settle only what is answered without a gap', async () => {
    const numbers = new OnceNumbers('c');
    const seen: Once[] = [];
    let finishFirst: () => void = () => undefined;
    const first = numbers.run((once) => {
      seen.push(once);
      return new Promise<void>((resolve) => (finishFirst = resolve));
    });
    await numbers.run(async (once) => void seen.push(once));
    await numbers.run(async (once) => void seen.push(once));
    finishFirst();
    await first;
    await numbers.run(async (once) => void seen.push(once));
    expect(seen.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(seen.map(({ settledBelow }) => settledBelow)).toEqual([1, 1, 1, 4]);
  });

  it('are never out in larger number than the store remembers', async () => {
    const numbers = new OnceNumbers('c');
    const finish: (() => void)[] = [];
    const all = Array.from({ length: maxWritesInFlight + 5 }, () =>
      numbers.run(() => new Promise<void>((resolve) => finish.push(resolve))),
    );
    expect(finish).toHaveLength(maxWritesInFlight);
    for (let at = 0; at < all.length; at += 1) {
      while (finish[at] === undefined) await Promise.resolve();
      finish[at]?.();
    }
    await Promise.all(all);
    expect(finish).toHaveLength(all.length);
  });
});
