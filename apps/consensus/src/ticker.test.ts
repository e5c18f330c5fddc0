// The pace of ticks under a clock that is moved by hand: no drift, no burst.

import { describe, expect, it } from '@jest/globals';
import { maxCatchUpTicks, Ticker } from './ticker';

function ticking(intervalMs: number) {
  let now = 0;
  let due: { at: number; call: () => void } | undefined;
  const ticks: number[] = [];
  const ticker = new Ticker(intervalMs, (at) => ticks.push(at), {
    nowMs: () => now,
    after: (ms, call) => {
      due = { at: now + ms, call };
      return () => (due = undefined);
    },
  });
  /** Every timer fires `lateMs` after it is due. */
  const run = (untilMs: number, lateMs = 0): void => {
    while (due !== undefined && due.at + lateMs <= untilMs) {
      const { at, call } = due;
      now = Math.max(now, at + lateMs);
      call();
    }
    now = untilMs;
  };
  const stall = (ms: number): void => void (now += ms);
  return { ticker, ticks, run, stall };
}

describe('ticker', () => {
  it('keeps its pace though every timer is late (bug 40)', () => {
    const { ticker, ticks, run } = ticking(25);
    ticker.start();
    run(10_000, 12);
    expect(ticks.length).toBeGreaterThanOrEqual(399);
    expect(ticks.map((at) => at % 25)).toEqual(ticks.map(() => 12));
  });

  it('makes up for a few ticks after a stall, each in a turn of its own, and keeps its phase', () => {
    const { ticker, ticks, run, stall } = ticking(25);
    ticker.start();
    run(100);
    const before = ticks.length;
    stall(1_010);
    run(1_110);
    const madeUp = ticks.slice(before);
    // The one that was due, those that are made up for, and the first of the new pace.
    expect(madeUp).toHaveLength(maxCatchUpTicks + 2);
    run(1_400);
    const later = ticks.slice(before + madeUp.length);
    expect(later.length).toBeGreaterThan(8);
    expect(later.map((at) => at % 25)).toEqual(later.map(() => 0));
  });

  it('stops', () => {
    const { ticker, ticks, run } = ticking(25);
    ticker.start();
    run(50);
    ticker.stop();
    run(500);
    expect(ticks).toEqual([25, 50]);
  });
});
