import { SkeinError } from '@skein/contracts';
import { describe, expect, it } from '@jest/globals';
import { all, counted, parseDuration } from './units';

describe('counted', () => {
  it('names one by itself and others as many', () => {
    expect([0, 1, 2].map((n) => counted(n, 'key'))).toEqual(['0 keys', '1 key', '2 keys']);
    expect([1, 2].map((n) => counted(n, 'address', 'addresses'))).toEqual([
      '1 address',
      '2 addresses',
    ]);
  });
});

describe('all', () => {
  it('of none, one and several', () => {
    const text = (n: number) => all(n, { one: 'is healthy', many: 'are healthy' });
    expect([0, 1, 3].map(text)).toEqual([
      'there is none',
      'the only one is healthy',
      'all 3 are healthy',
    ]);
  });
});

describe('a duration', () => {
  it('that is none is refused with the forms that are taken', () => {
    let message = '';
    try {
      parseDuration('soon', 'ttl');
    } catch (thrown) {
      message = SkeinError.from(thrown).message;
    }
    expect(message).toBe(
      "'soon' is no duration: expected a number with ms, s, m, h or d, as in 500ms, 30s or 12h; alone it counts seconds",
    );
  });
});
