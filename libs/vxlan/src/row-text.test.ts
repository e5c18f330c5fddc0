import { describe, expect, it } from '@jest/globals';
import { isPluggedRow, rowText } from './row-text';

describe("a forwarding row's text", () => {
  it.each([
    [{ port: 'v0123456789ab', vteps: [] }, 'v0123456789ab', true],
    [{ port: 'vxlan0', vteps: ['192.0.2.2'] }, 'vxlan0 192.0.2.2', false],
    [{ port: null, vteps: ['192.0.2.2'] }, 'no port 192.0.2.2', false],
    [{ port: null, vteps: [] }, 'no port', false],
  ])('of %j tells whether its MAC is plugged in there', (row, text, isPlugged) => {
    expect(rowText(row)).toBe(text);
    expect(isPluggedRow(text)).toBe(isPlugged);
  });
});
