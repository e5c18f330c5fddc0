// Steps in order, each in full, until one fails.

import { describe, expect, it } from '@jest/globals';
import { StepLoop } from './step-loop';

describe('step loop', () => {
  it('runs what comes up during a step after it', () => {
    const seen: string[] = [];
    const loop: StepLoop<number> = new StepLoop<number>({
      run: (input) => {
        seen.push(`${input} begins`);
        if (input === 1) loop.input(2);
        seen.push(`${input} ends`);
      },
      failed: () => undefined,
    });
    loop.input(1);
    expect(seen).toEqual(['1 begins', '1 ends', '2 begins', '2 ends']);
  });

  it('ends at the first fault, tells it once, and its caller nothing', () => {
    const seen: number[] = [];
    const faults: string[] = [];
    const loop = new StepLoop<number>({
      run: (input) => {
        seen.push(input);
        throw new Error('broken');
      },
      failed: ({ message }) => faults.push(message),
    });
    for (const input of [1, 2, 3]) loop.input(input);
    loop.guard(() => seen.push(4));
    expect({ seen, faults }).toEqual({ seen: [1], faults: ['broken'] });
  });
});
