import { describe, expect, it } from '@jest/globals';
import { makeProgram } from '../program';

const program = await makeProgram();
const up = program.commands.find((command) => command.name() === 'up');

function read(flag: string, text: string): unknown {
  const option = up?.options.find(({ long }) => long === flag);
  return option?.parseArg?.(text, undefined);
}

describe('numbers that skein up takes', () => {
  it.each([
    ['--hosts', 'abc'],
    ['--hosts', '1.5'],
    ['--hosts', '0'],
    ['--port', 'foo'],
    ['--port', '99999'],
    ['--nats-port', '-1'],
    ['--nats-port', '4222x'],
  ])('%s %s is refused, with the field', (flag, text) => {
    const error = expect.objectContaining({
      code: 'invalid_request',
      field: flag.slice(2),
      message: expect.stringContaining(`not '${text}'`),
    });
    expect(() => read(flag, text)).toThrow(error as never);
  });

  it('are read when they fit', () => {
    expect(read('--hosts', '12')).toBe(12);
    expect(read('--port', '65535')).toBe(65_535);
    expect(read('--nats-port', '0')).toBe(0);
  });
});
