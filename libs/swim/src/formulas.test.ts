// The formulas against the published table of memberlist's LAN and WAN defaults.

import { describe, expect, it } from '@jest/globals';
import { swimConfig, type SwimPreset } from './config';
import {
  minSuspicionMs,
  pushPullPeriodMs,
  retransmitLimit,
  suspicionTimeoutMs,
  wantedConfirmations,
} from './formulas';

function minimum(preset: SwimPreset, memberCount: number): number {
  const { suspicionMultiplier: multiplier, probeIntervalMs } = swimConfig(preset);
  return minSuspicionMs({ multiplier, memberCount, probeIntervalMs });
}

describe('formulas', () => {
  it.each([
    { members: 3, minLan: 4.0, sends: 4, pushPull: 30, minWan: 30 },
    { members: 9, minLan: 4.0, sends: 4, pushPull: 30, minWan: 30 },
    { members: 32, minLan: 6.0, sends: 8, pushPull: 30, minWan: 45 },
    { members: 100, minLan: 8.0, sends: 12, pushPull: 90, minWan: 60 },
    { members: 1_000, minLan: 12.0, sends: 16, pushPull: 180, minWan: 90 },
    { members: 10_000, minLan: 16.0, sends: 20, pushPull: 300, minWan: 120 },
  ])('give the published values for $members members', (row) => {
    expect(minimum('lan', row.members) / 1_000).toBeCloseTo(row.minLan, 1);
    expect(minimum('wan', row.members) / 1_000).toBeCloseTo(row.minWan, 0);
    expect(retransmitLimit(4, row.members)).toBe(row.sends);
    expect(pushPullPeriodMs(30_000, row.members)).toBe(row.pushPull * 1_000);
  });

  it('shorten a suspicion with the logarithm of its confirmations', () => {
    const timeouts = [0, 1, 2, 3, 4].map((confirmations) =>
      Math.round(suspicionTimeoutMs({ minMs: 4_000, maxMs: 24_000, confirmations, wanted: 3 })),
    );
    expect(timeouts).toEqual([24_000, 14_000, 8_150, 4_000, 4_000]);
  });

  it('want no confirmation where too few could give one', () => {
    expect([3, 4, 5, 100].map((members) => wantedConfirmations(3, members))).toEqual([0, 0, 3, 3]);
    expect(suspicionTimeoutMs({ minMs: 4_000, maxMs: 24_000, confirmations: 0, wanted: 0 })).toBe(
      4_000,
    );
  });
});

describe('presets', () => {
  it('leave room for a nack inside the probe interval', () => {
    for (const preset of ['lan', 'wan', 'local'] as const) {
      const { probeTimeoutMs, probeIntervalMs } = swimConfig(preset);
      expect(probeTimeoutMs * 1.8).toBeLessThan(probeIntervalMs);
    }
    expect(() => swimConfig('lan', { probeTimeoutMs: 600 })).toThrow('probeTimeoutMs');
  });

  it('declare one of three dead within three seconds on one machine', () => {
    const { probeIntervalMs } = swimConfig('local');
    expect(minimum('local', 3) + 4 * probeIntervalMs).toBeLessThan(3_000);
  });
});
