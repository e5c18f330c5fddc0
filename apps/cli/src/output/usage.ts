// What the command line's parser refuses: as the parser says it for people, as an error like any other with `--json`.

import { SkeinError } from '@skein/contracts';
import { CommanderError, type Command } from 'commander';

/** Makes the parser throw instead of ending the process; `isQuiet`: without saying anything of its own. */
export function refuseByThrowing(command: Command, isQuiet: boolean): void {
  command.exitOverride();
  if (isQuiet) command.configureOutput({ outputError: () => undefined });
  for (const child of command.commands) refuseByThrowing(child, isQuiet);
}

/** False for what is no fault: `--help` and `--version` end a command this way too. */
export function isUsageFault(thrown: unknown): thrown is CommanderError {
  return thrown instanceof CommanderError && thrown.exitCode !== 0;
}

export function usageError({ message }: CommanderError): SkeinError {
  const [first = '', ...others] = message.split('\n');
  const field = /(?:option|argument) '(?:-\w, )?-*([\w-]+)/.exec(first)?.[1];
  const suggestion = /^\((Did you mean .*)\)$/.exec(others.join(' ').trim())?.[1];
  return new SkeinError('invalid_request', first.replace(/^error: /, ''), {
    ...(field === undefined ? {} : { field }),
    ...(suggestion === undefined ? {} : { facts: { hint: suggestion } }),
  });
}
