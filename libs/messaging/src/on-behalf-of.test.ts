import { describe, expect, it } from '@jest/globals';
import { onBehalfOf } from './on-behalf-of';

describe('a message on behalf of several', () => {
  it('stands under the first and names the others once', () => {
    expect(onBehalfOf(['a', 'b', undefined, 'a', 'c'])).toEqual({
      requestId: 'a',
      alsoFor: ['b', 'c'],
    });
    expect(onBehalfOf(['a'])).toEqual({ requestId: 'a' });
    expect(onBehalfOf([undefined])).toEqual({ requestId: undefined });
  });

  it('names no more than headers have room for', () => {
    const many = Array.from({ length: 500 }, (_, at) => `a-request-with-a-long-id-${at}`);
    const { alsoFor = [] } = onBehalfOf(many);
    expect(alsoFor.length).toBeGreaterThan(15);
    expect(alsoFor.join(' ').length).toBeLessThan(700);
  });
});
