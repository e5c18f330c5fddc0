// Round-trip times by RFC 6298's worked arithmetic, and news of blocked datagrams told once.

import { describe, expect, it } from '@jest/globals';
import { ReachTable } from './reach';

describe('reach', () => {
  it('is unknown before the first probe, and after it was forgotten', () => {
    const reach = new ReachTable();
    reach.measured('a', 10);
    reach.setUdpBlocked('a', true);
    reach.forget('a');
    expect(reach.of('a')).toEqual({ rttMs: null, rttVarianceMs: null, isUdpBlocked: false });
  });

  it.each([
    { samples: [80], rttMs: 80, rttVarianceMs: 40 },
    { samples: [80, 80], rttMs: 80, rttVarianceMs: 30 },
    { samples: [80, 160], rttMs: 90, rttVarianceMs: 50 },
    { samples: [80, 160, 10], rttMs: 80, rttVarianceMs: 57.5 },
  ])('smooths $samples', ({ samples, rttMs, rttVarianceMs }) => {
    const reach = new ReachTable();
    for (const sample of samples) reach.measured('a', sample);
    expect(reach.of('a')).toEqual({ rttMs, rttVarianceMs, isUdpBlocked: false });
  });

  it('tells of blocked datagrams once, and keeps the times', () => {
    const reach = new ReachTable();
    reach.measured('a', 10);
    expect([true, true, false, false].map((is) => reach.setUdpBlocked('a', is))).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(reach.of('a').rttMs).toBe(10);
  });
});
