import { describe, expect, it } from '@jest/globals';
import { simulateIpam } from './simulate-ipam';

const seeds = Array.from({ length: 20 }, (_, index) => index + 1);

describe('address management under faults', () => {
  it.each(seeds)('keeps every promise with seed %i', (seed) => {
    const { violations, faults, answers } = simulateIpam(seed);
    expect(violations).toEqual([]);
    expect(faults).toBeGreaterThan(10);
    expect(answers['allocate accepted undefined']).toBeGreaterThan(20);
  });

  it('does the same again with the same seed', () => {
    expect(simulateIpam(7)).toEqual(simulateIpam(7));
    expect(simulateIpam(7).trace).not.toBe(simulateIpam(8).trace);
  });

  it('finds two holders when transactions compare nothing', () => {
    const rules = [1, 4, 5].flatMap((seed) =>
      simulateIpam(seed, { planted: 'no-compares' }).violations.map(({ rule }) => rule),
    );
    expect(rules).toContain('one-holder');
  });

  it('finds addresses that nobody knows of when replicas are not fenced', () => {
    const rules = [17, 29].flatMap((seed) =>
      simulateIpam(seed, { planted: 'no-fence' }).violations.map(({ rule }) => rule),
    );
    expect(rules).toContain('leak');
  });

  it('finds answers from an old memory when transactions do not compare what they stand on', () => {
    const { violations } = simulateIpam(1, { planted: 'no-address-compare' });
    expect(violations.map(({ rule }) => rule)).toContain('acknowledged-is-stored');
  });
});
