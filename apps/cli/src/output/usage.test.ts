import { describe, expect, it } from '@jest/globals';
import { makeProgram } from '../program';
import { isUsageFault, refuseByThrowing, usageError } from './usage';

async function refusal(args: string) {
  const program = await makeProgram();
  refuseByThrowing(program, true);
  const thrown: unknown = await program.parseAsync(['node', 'skein', ...args.split(' ')]).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isUsageFault(thrown)) throw new Error(`'${args}' was not refused`);
  return usageError(thrown).toBody();
}

describe('usage that is refused', () => {
  it.each([
    ['network create', "missing required argument 'name'", 'name'],
    ['network create web --colour', "unknown option '--colour'", 'colour'],
    ['attach web', "required option '--host <host>' not specified", 'host'],
    ['host remove h1 -x', "unknown option '-x'", 'x'],
    [
      'network create web --mtu x',
      "option '--mtu <bytes>' argument 'x' is invalid. Expected a whole number.",
      'mtu',
    ],
    [
      'detach web a --wait 5s',
      "option '--wait <ms>' argument '5s' is invalid. Expected a whole number of milliseconds, as in 5000 for 5 seconds.",
      'wait',
    ],
    [
      'completion csh',
      "command-argument value 'csh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish.",
      'shell',
    ],
  ])('of %p is an error like any other', async (args, message, field) => {
    expect(await refusal(args)).toEqual({ code: 'invalid_request', message, field });
  });

  it('brings along what was meant as a hint', async () => {
    expect(await refusal('network lst')).toEqual({
      code: 'invalid_request',
      message: "unknown command 'lst'",
      facts: { hint: 'Did you mean one of list, ls?' },
    });
  });
});
