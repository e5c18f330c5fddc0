// The loop that looks for drift, beside pushes that come and come: a reconciler that only counts, on a clock that the test moves.

import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Share } from '@skein/contracts';
import { silentLogger } from '@skein/messaging';
import { digestOf } from '@skein/share';
import type { Time } from '@skein/time';
import { Programmer } from './programmer';
import type { Reconciler } from './reconciler';

const reconcileMs = 2_000;
const share: Share = { hosts: [], networks: [], endpoints: [] };

let now: number;
let timers: { at: number; action: () => void }[];
let looks: number[];
let revision: number;
/** How long the kernel takes for one push. */
let programMs: number;
/** How long one look takes. */
let lookMs: number;
let programmer: Programmer;
/** Whether a share that is taken in answers somebody. */
let isAwaited: boolean;
let soon: (() => void)[];
let programmed: number;

const after: Time['after'] = (ms, action) => {
  const timer = { at: now + ms, action };
  timers.push(timer);
  return () => {
    timers = timers.filter((other) => other !== timer);
  };
};
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

async function pass(ms: number): Promise<void> {
  const end = now + ms;
  for (;;) {
    const next = timers.toSorted((one, other) => one.at - other.at)[0];
    if (next === undefined || next.at > end) break;
    now = next.at;
    timers = timers.filter((other) => other !== next);
    next.action();
    await turn();
  }
  now = end;
}

const push = () => {
  revision += 1;
  return programmer.program({ kind: 'snapshot', revision, digest: digestOf(share), share });
};

beforeEach(() => {
  now = revision = programMs = lookMs = 0;
  timers = [];
  looks = [];
  soon = [];
  programmed = 0;
  isAwaited = false;
  const reconciler = {
    isComplete: true,
    programChanges: async () => null,
    program: () => {
      programmed += 1;
      return new Promise((resolve) => void after(programMs, () => resolve([])));
    },
    look: async () => {
      looks.push(now);
      if (lookMs > 0) await new Promise<void>((resolve) => void after(lookMs, resolve));
      return null;
    },
  };
  programmer = new Programmer({
    ...{ hostId: 'h1', bootId: 'b1', reconcileMs },
    reconciler: reconciler as unknown as Reconciler,
    time: {
      after,
      monotonicMs: () => now,
      wallMs: () => now,
      soon: (action) => void soon.push(action),
    },
    onTaken: () => isAwaited,
    onRepair: () => undefined,
    logger: silentLogger,
  });
});

describe('the look for drift', () => {
  it('waits for the first push, and then comes again and again', async () => {
    await pass(10_000);
    expect(looks).toEqual([]);
    void push();
    await pass(3 * reconcileMs);
    expect(looks).toHaveLength(3);
  });

  it('is not put off by pushes that come more often than it', async () => {
    for (let step = 0; step < 40; step += 1) {
      void push();
      await pass(reconcileMs / 4);
    }
    expect(looks.length).toBeGreaterThanOrEqual(8);
  });

  it('comes as soon as the kernel is free when its time was while that was being changed', async () => {
    programMs = reconcileMs * 1.5;
    void push();
    await pass(programMs);
    void push();
    await pass(reconcileMs - 1);
    void push();
    await pass(reconcileMs * 3);
    expect(looks[0]).toBeGreaterThan(programMs + reconcileMs);
    expect(looks[0]).toBeLessThan(programMs * 3 + reconcileMs);
    expect(looks.length).toBeGreaterThan(0);
  });

  it('comes again soon even if the one before was held up', async () => {
    lookMs = 3_000;
    void push();
    await pass(60_000);
    expect(looks.length).toBeGreaterThanOrEqual(7);
  });

  it('ends with the agent', async () => {
    void push();
    await pass(reconcileMs);
    programmer.stop();
    void push();
    await pass(5 * reconcileMs);
    expect(looks).toHaveLength(1);
  });
});

describe('a share that somebody waits for', () => {
  it('is programmed once the answer is out', async () => {
    isAwaited = true;
    const pushed = push();
    await turn();
    expect(programmed).toBe(0);
    for (const action of soon) action();
    await turn();
    expect(programmed).toBe(1);
    await pass(0);
    expect((await pushed).programmed).toBe(1);
  });

  it('is programmed at once if nobody does', async () => {
    void push();
    await turn();
    expect(programmed).toBe(1);
    expect(soon).toEqual([]);
  });
});
