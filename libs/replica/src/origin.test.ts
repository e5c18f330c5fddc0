// What a replica with an empty directory does after what it has heard.

import { describe, expect, it } from '@jest/globals';
import { originOf, originPatienceMs, startAfter, type Origin } from './origin';

const three = ['r1', 'r2', 'r3'];

function after(
  said: Record<string, Origin>,
  { waitedMs = 0, voters = three }: { waitedMs?: number; voters?: readonly string[] } = {},
) {
  return startAfter({ id: 'r1', voters, heard: new Map(Object.entries(said)), waitedMs });
}

describe('a replica with an empty directory', () => {
  it('begins at once when every voter is as fresh as itself', () => {
    expect(after({ r2: 'fresh', r3: 'fresh' })).toBe('begin');
    expect(after({}, { voters: ['r1'] })).toBe('begin');
  });

  it('begins with a majority only after it has waited for the others', () => {
    expect(after({ r2: 'fresh' })).toBe('wait');
    expect(after({ r2: 'fresh' }, { waitedMs: originPatienceMs })).toBe('begin');
  });

  it('never begins with less than a majority', () => {
    const waitedMs = 1_000 * originPatienceMs;
    expect(after({}, { waitedMs })).toBe('wait');
    expect(after({ r9: 'fresh' }, { waitedMs })).toBe('wait');
    expect(after({ r2: 'fresh' }, { waitedMs, voters: ['r1', 'r2', 'r3', 'r4'] })).toBe('wait');
  });

  it('recovers when anybody says that the cluster has begun, whatever the others say', () => {
    expect(after({ r2: 'fresh', r3: 'begun' })).toBe('recover');
    expect(after({ r2: 'fresh', r3: 'begun' }, { waitedMs: originPatienceMs })).toBe('recover');
    expect(after({ r2: 'fresh', r3: 'fresh', r4: 'begun' })).toBe('recover');
  });
});

describe('a voter', () => {
  it('is fresh only as long as it holds nothing, has voted for nobody and has lost nothing', () => {
    const fresh = { term: 0, lastIndex: 0, isRecovering: false };
    expect(originOf(fresh)).toBe('fresh');
    expect(originOf({ ...fresh, term: 1 })).toBe('begun');
    expect(originOf({ ...fresh, lastIndex: 1 })).toBe('begun');
    expect(originOf({ ...fresh, isRecovering: true })).toBe('begun');
  });
});
