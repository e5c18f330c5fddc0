import { describe, expect, it } from '@jest/globals';
import { parseMoment } from './moment';

const now = new Date(2026, 10, 30, 14, 0, 0).getTime();
const local = (day: number, hours: number, minutes: number, seconds = 0): string =>
  new Date(2026, 10, day, hours, minutes, seconds).toISOString();

describe('moments', () => {
  it.each([
    ['42', '42'],
    ['13:59', local(30, 13, 59)],
    ['14:00', local(30, 14, 0)],
    ['14:32', local(29, 14, 32)],
    ['9:05:07', local(30, 9, 5, 7)],
    ['10m ago', new Date(now - 600_000).toISOString()],
    ['2026-11-22 18:30', local(22, 18, 30)],
    ['2026-11-22T18:30:00Z', '2026-11-22T18:30:00.000Z'],
    ['2026-11-22T18:30:00+02:00', '2026-11-22T16:30:00.000Z'],
  ])('%s', (text, expected) => {
    expect(parseMoment(text, now)).toBe(expected);
  });

  it.each(['', 'yesterday', '25:00', '12:60', '2026-13-01', 'soon ago', '14'.repeat(9)])(
    'refuses %p',
    (text) => {
      expect(() => parseMoment(text, now)).toThrow(
        expect.objectContaining({ code: 'invalid_request', field: 'at' }),
      );
    },
  );
});
