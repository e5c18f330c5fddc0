import { describe, expect, it } from '@jest/globals';
import { PartBook } from './part-book';

describe('part book', () => {
  it('finds the latest place that was entered and not left, in whichever order they are left', () => {
    const book = new PartBook<string>();
    const leaveOuter = book.enter(['a', 'b'], 'outer');
    const leaveInner = book.enter(['a'], 'inner');
    expect([book.at('a'), book.at('b'), book.at('c')]).toEqual(['inner', 'outer', undefined]);
    leaveOuter();
    expect([book.at('a'), book.at('b')]).toEqual(['inner', undefined]);
    leaveInner();
    expect(book.at('a')).toBeUndefined();
  });

  it('keeps nothing of requests that are done', () => {
    const book = new PartBook<object>();
    const leave = [1, 2, 3].map((n) => book.enter([`r${n}`, 'all'], {}));
    expect(book.size).toBe(4);
    for (const each of leave) each();
    expect(book.size).toBe(0);
  });
});
