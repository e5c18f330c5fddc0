// One suspicion: accusers, stalls and silences against its deadline.

import { describe, expect, it } from '@jest/globals';
import { Suspicion } from './suspicion';

function suspicion(wanted = 3): Suspicion {
  return new Suspicion({ accuser: 'a', startedAt: 1_000, minMs: 4_000, maxMs: 24_000, wanted });
}

describe('suspicion', () => {
  it('counts each accuser once, and none beyond those wanted', () => {
    const doubted = suspicion();
    const counted = ['a', 'b', 'b', 'c', 'd', 'e'].map((accuser) => doubted.confirm(accuser));
    expect(counted).toEqual([false, true, false, true, true, false]);
    expect(doubted.deadlineAt).toBe(5_000);
  });

  it('moves with a stall', () => {
    const doubted = suspicion(0);
    doubted.shift(60_000);
    expect([doubted.deadlineAt, doubted.longestAt]).toEqual([65_000, 85_000]);
  });

  it('starts again after a silence', () => {
    const doubted = suspicion(0);
    doubted.excuseSilence({ from: 500, to: 9_000 });
    expect(doubted.deadlineAt).toBe(13_000);
    doubted.excuseSilence({ from: 10_000, to: 12_000 });
    expect(doubted.deadlineAt).toBe(15_000);
  });

  it('ends at its longest, however many silences it ran through', () => {
    const doubted = suspicion(0);
    for (let from = 2_000; from < 60_000; from += 3_000) {
      doubted.excuseSilence({ from, to: from + 2_500 });
    }
    expect(doubted.deadlineAt).toBe(25_000);
  });
});
