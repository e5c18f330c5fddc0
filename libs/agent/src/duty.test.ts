// The agent's duty to the registry: what it does with leases and refusals. The registry is played by the test.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { SkeinError } from '@skein/contracts';
import { silentLogger } from '@skein/messaging';
import { Duty } from './duty';

type Answer = object | SkeinError;

let now: number;
let timers: { at: number; action: () => void }[];
let asked: string[];
let answers: Answer[];
let leases: [number, number, number][];
let dismissed: string[];
let duty: Duty;

beforeEach(() => {
  now = 1_000;
  timers = [];
  asked = [];
  answers = [];
  leases = [];
  dismissed = [];
  const registration = { id: 'h1', name: 'h1', vtep: '192.0.2.1', gossip: '', underlayMtu: 1500 };
  duty = new Duty({
    messenger: {
      request: (async (contract: { verb: string }) => {
        asked.push(contract.verb);
        now += 30;
        const answer = answers.shift() ?? { revision: 1, registerAgain: false };
        if (answer instanceof SkeinError) throw answer;
        return answer;
      }) as never,
    },
    time: {
      after: (ms, action) => {
        const timer = { at: now + ms, action };
        timers.push(timer);
        return () => void timers.splice(timers.indexOf(timer), 1);
      },
      monotonicMs: () => now,
      wallMs: () => now + 1_000_000,
    },
    logger: silentLogger,
    registration: () => ({ ...registration, bootId: 'boot-1' }),
    heartbeat: () => ({
      host: 'h1',
      bootId: 'boot-1',
      programmed: 0,
      digest: '',
      repairs: {},
      opinions: [],
    }),
    onRegistered: () => undefined,
    onLease: (sentAt, leaseMs) => leases.push([sentAt.monotonicMs, sentAt.wallMs, leaseMs]),
    onDismissed: ({ code }) => dismissed.push(code),
  });
  duty.start();
});

/** The next timer that is due, and all that follows from it at once. */
async function next(): Promise<number> {
  const timer = timers.shift()!;
  const waited = timer.at - now;
  now = Math.max(now, timer.at);
  timer.action();
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  return waited;
}

const welcome = { host: {}, revision: 1, peers: [] };

describe('duty', () => {
  it('counts a lease from the moment at which the heartbeat was sent', async () => {
    answers = [welcome, { revision: 1, registerAgain: false, leaseMs: 5_000 }];
    await next();
    const sentAt = now + 500;
    await next();
    expect(leases).toEqual([[sentAt, sentAt + 1_000_000, 5_000]]);
  });

  it('takes no lease from an answer that grants none, or that sends it to register again', async () => {
    answers = [welcome, {}, { revision: 1, registerAgain: true, leaseMs: 5_000 }, welcome];
    for (let step = 0; step < 4; step += 1) await next();
    expect(asked).toEqual(['register-host', 'heartbeat', 'heartbeat', 'register-host']);
    expect(leases).toEqual([]);
  });

  it('withdraws when its boot is not taken back, and goes on asking, slowly', async () => {
    answers = [
      welcome,
      { revision: 1, registerAgain: true },
      new SkeinError('host_removed', 'restart it'),
      new SkeinError('host_removed', 'restart it'),
      welcome,
    ];
    for (let step = 0; step < 3; step += 1) await next();
    expect(dismissed).toEqual(['host_removed']);
    expect(await next()).toBe(5_000);
    await next();
    expect(asked.slice(-3)).toEqual(['register-host', 'register-host', 'register-host']);
    await next();
    expect(asked.at(-1)).toBe('heartbeat');
  });

  it('keeps what it has while it is only kept waiting', async () => {
    answers = [new SkeinError('host_held_back', 'wait'), welcome];
    await next();
    expect(dismissed).toEqual([]);
    expect(await next()).toBe(200);
  });
});
