import { describe, expect, it } from '@jest/globals';
import { takeToken } from './token';

describe("a link's token", () => {
  it.each([
    ['#token=abc', 'abc', ''],
    ['#/raft?token=a%2Fb', 'a/b', '#/raft'],
    ['#/raft', undefined, '#/raft'],
    ['', undefined, ''],
    ['#token=', undefined, ''],
  ])('%s', (fragment, token, rest) => {
    expect(takeToken(fragment)).toEqual({ token, rest });
  });
});
