import { describe, expect, it } from '@jest/globals';
import { droppedText, leaseText } from './host';

describe('what a host has kept out', () => {
  it.each([
    [undefined, undefined],
    [{ spoofed: 0, strangers: 0 }, undefined],
    [{ spoofed: 3, strangers: 0 }, '3 frames of its endpoints with a source not theirs'],
    [{ spoofed: 0, strangers: 2 }, '2 frames from hosts that are no members'],
    [
      { spoofed: 1, strangers: 2 },
      '1 frame of its endpoints with a source not theirs, 2 frames from hosts that are no members',
    ],
  ])('%j is told as %s', (dropped, text) => {
    expect(droppedText(dropped)).toBe(text);
  });
});

describe("a host's lease", () => {
  const lease = { epoch: 2, bootId: 'b', lastsMs: 5_000, leftMs: 4_180, fences: ['db', 'web'] };

  it.each([
    [
      lease,
      'runs out in 4.2 s unless the host is heard, which renews it for 5 s; without it the host is silent on db, web',
    ],
    [
      { ...lease, fences: [] },
      'runs out in 4.2 s unless the host is heard, which renews it for 5 s; no network of the host needs it',
    ],
    [
      { ...lease, leftMs: 0 },
      'has run out and is renewed for 5 s once the host is heard; without it the host is silent on db, web',
    ],
    [
      { ...lease, epoch: 1, fences: [] },
      'runs out in 4.2 s unless the host is heard, which renews it for 5 s; no network of the host needs it (it was granted to epoch 1)',
    ],
  ])('is told in one sentence', (granted, text) => {
    expect(leaseText(granted, 2)).toBe(text);
  });
});
