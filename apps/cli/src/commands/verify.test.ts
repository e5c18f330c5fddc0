// What `skein verify` takes for figures, and which proofs it runs.

import { describe, expect, it } from '@jest/globals';
import { figuresIn, proofsOf } from './verify';

describe('verify', () => {
  it('runs all proofs unless some are named, and refuses what is none', () => {
    expect(proofsOf(undefined)).toContain('faults');
    expect(proofsOf(['disks', 'faults'])).toEqual(['faults', 'disks']);
    expect(() => proofsOf(['luck'])).toThrow("There is no proof 'luck'");
  });

  it('takes lines that a test measured, and no others', () => {
    expect(figuresIn('{"figures":"growth","wal":5}')).toEqual({ figures: 'growth', wal: 5 });
    expect(figuresIn('{"level":"info"}')).toBeUndefined();
    expect(figuresIn('PASS system')).toBeUndefined();
  });
});
