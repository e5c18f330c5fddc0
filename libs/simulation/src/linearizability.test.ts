// Histories with known verdicts: the checker must accept what an order explains and refuse what
// none does.
import { describe, expect, it } from '@jest/globals';
import { checkLinearizable, type Operation, type SequentialModel } from './linearizability';
import { Random } from './random';

type Input = { readonly key: string; readonly write?: string };
const register: SequentialModel<string, Input, string> = {
  initial: '',
  apply: (state, input, output) => {
    if (input.write !== undefined) return input.write;
    return output === undefined || output === state ? state : null;
  },
  keyOf: (state) => state,
};
const write = (call: number, end: number, value: string, key = 'k'): Operation<Input, string> => ({
  call,
  return: end,
  input: { key, write: value },
  output: undefined,
});
const read = (call: number, end: number, value: string, key = 'k'): Operation<Input, string> => ({
  call,
  return: end,
  input: { key },
  output: value,
});
const verdict = (history: readonly Operation<Input, string>[], budget?: number): string =>
  checkLinearizable(register, history, (input) => input.key, budget).result;

describe('linearizability checker', () => {
  it.each([
    ['an empty history', [], 'linearizable'],
    ['a read after its write', [write(1, 2, 'a'), read(3, 4, 'a')], 'linearizable'],
    ['a stale read', [write(1, 2, 'a'), write(3, 4, 'b'), read(5, 6, 'a')], 'violated'],
    ['a phantom value', [write(1, 2, 'a'), read(3, 4, 'z')], 'violated'],
    [
      'a read concurrent with a write, old',
      [write(1, 2, 'a'), write(3, 6, 'b'), read(4, 5, 'a')],
      'linearizable',
    ],
    [
      'a read concurrent with a write, new',
      [write(1, 2, 'a'), write(3, 6, 'b'), read(4, 5, 'b')],
      'linearizable',
    ],
    ['a value that goes back', [write(1, 9, 'a'), read(2, 3, 'a'), read(4, 5, '')], 'violated'],
    [
      'an unanswered write that is seen late',
      [write(1, Infinity, 'a'), read(2, 3, ''), read(4, 5, 'a')],
      'linearizable',
    ],
    [
      'an unanswered write that never happened',
      [write(1, Infinity, 'a'), read(2, 3, '')],
      'linearizable',
    ],
    [
      'an unanswered write that comes and goes',
      [write(1, Infinity, 'a'), read(2, 3, 'a'), read(4, 5, '')],
      'violated',
    ],
    ['a lost write', [write(1, 2, 'a'), read(3, 4, '')], 'violated'],
  ])('%s', (_name, history, expected) => {
    expect(verdict(history)).toBe(expected);
  });

  it('judges each part by itself and names the broken one', () => {
    const history = [write(1, 2, 'a', 'x'), read(3, 4, 'a', 'x'), read(3, 4, 'a', 'y')];
    const { result, part } = checkLinearizable(register, history, (input) => input.key);
    expect([result, part]).toEqual(['violated', 'y']);
  });

  it('gives up beyond its budget instead of guessing', () => {
    const many = Array.from({ length: 20 }, (_, i) => write(i, 100 + i, `${i}`));
    expect(verdict([...many, read(200, 201, 'none')], 1000)).toBe('gave_up');
  });

  it('accepts histories of a real register and refuses them with one read changed', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const history = simulateRegister(new Random(seed));
      expect(verdict(history)).toBe('linearizable');
      const at = history.findIndex((operation) => operation.input.write === undefined);
      const broken = history.map((operation, i) =>
        i === at ? { ...operation, output: 'never' } : operation,
      );
      expect(verdict(broken)).toBe('violated');
    }
  });
});

/** Concurrent operations that each take effect at one moment between call and return. */
function simulateRegister(random: Random): Operation<Input, string>[] {
  const planned = Array.from({ length: 40 }, (_, i) => {
    const moment = i * 10;
    const isWrite = random.chance(0.5) && i > 0;
    return { moment, call: moment - random.next() * 30, end: moment + random.next() * 30, isWrite };
  });
  let state = '';
  return planned.map(({ moment, call, end, isWrite }) => {
    if (!isWrite) return read(call, end, state);
    state = `v${moment}`;
    return write(call, end, state);
  });
}
