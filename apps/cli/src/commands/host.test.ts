import { describe, expect, it } from '@jest/globals';
import { droppedText } from './host';

describe('what a host has kept out', () => {
  it.each([
    [undefined, undefined],
    [{ spoofed: 0, strangers: 0 }, undefined],
    [{ spoofed: 3, strangers: 0 }, '3 frames of its endpoints with a source not theirs'],
    [{ spoofed: 0, strangers: 2 }, '2 frames from hosts that are no members'],
    [
      { spoofed: 1, strangers: 2 },
      '1 frames of its endpoints with a source not theirs, 2 frames from hosts that are no members',
    ],
  ])('%j is told as %s', (dropped, text) => {
    expect(droppedText(dropped)).toBe(text);
  });
});
