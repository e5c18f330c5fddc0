import { describe, expect, it } from '@jest/globals';
import { formatTraceparent, parseTraceparent } from './traceparent';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

describe('traceparent', () => {
  it.each([
    ['of this version', `00-${traceId}-${spanId}-01`, true],
    ['that nobody records', `00-${traceId}-${spanId}-00`, false],
    ['with flags that are not known', `00-${traceId}-${spanId}-03`, true],
    ['of a version to come', `cc-${traceId}-${spanId}-01-what-else`, true],
  ])('reads one %s', (_what, text, isSampled) => {
    expect(parseTraceparent(text)).toEqual({ traceId, spanId, isSampled });
  });

  it.each([
    ['', ''],
    ['too short', `00-${traceId}-${spanId}`],
    ['with more than this version has', `00-${traceId}-${spanId}-01-more`],
    ['of a version that is none', `ff-${traceId}-${spanId}-01`],
    ['of no trace', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['of no part', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['in capitals', `00-${traceId.toUpperCase()}-${spanId}-01`],
  ])('takes none that is %s', (_what, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  it('is written as it is read', () => {
    for (const text of [`00-${traceId}-${spanId}-01`, `00-${traceId}-${spanId}-00`]) {
      const place = parseTraceparent(text);
      expect(place && formatTraceparent(place)).toBe(text);
    }
  });
});
