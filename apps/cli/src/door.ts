// What all commands have in common: how options are read, and a session with the gateway around each.

import { type Command, InvalidArgumentError } from 'commander';
import type { Session } from './session';

export type Options = Record<string, unknown>;
type Handler = (session: Session, ...rest: never[]) => Promise<void>;

export const repeat = (value: string, earlier: string[] | undefined) => [...(earlier ?? []), value];

export const commas = (text: string): string[] => text.split(',').map((part) => part.trim());

const wholeNumber =
  (expected: string) =>
  (text: string): number => {
    if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError(`Expected ${expected}.`);
    return Number(text);
  };

export const count = wholeNumber('a whole number');
export const seconds = wholeNumber('a whole number of seconds, as in 30');
export const milliseconds = wholeNumber('a whole number of milliseconds, as in 5000 for 5 seconds');

export const label = (text: string, earlier: Record<string, string> | undefined) => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected name=value.');
  return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) };
};

/** For what asks before it does it. */
export const yes = (command: Command): Command =>
  command.option(
    '-y, --yes',
    'do not ask; where nobody can be asked, what asks is refused without it',
  );

/** A door that shows a list, and with `--watch` shows it again whenever something happens. */
export function listDoor(
  command: Command,
  load: () => Promise<Handler>,
  examples: readonly string[] = [],
): void {
  command.option('-w, --watch', 'show it again whenever something happens');
  const watching = async (): Promise<Handler> => {
    const [handler, { watchList }] = await Promise.all([load(), import('./watch-list')]);
    return async (session: Session, ...given: unknown[]) => {
      const { watch, ...options } = given.at(-1) as Options;
      const look = (shown: Session): Promise<void> =>
        (handler as (...all: unknown[]) => Promise<void>)(shown, ...given.slice(0, -1), options);
      await (watch === true ? watchList(session, look) : look(session));
    };
  };
  door(command, watching, examples);
}

/** Adds what every command has, and runs it with a session, its arguments and its options. */
export function door(
  command: Command,
  load: () => Promise<Handler>,
  examples: readonly string[] = [],
): void {
  command
    .option('--json', 'print JSON')
    .option('--no-color', 'print without colors')
    .action(async (...given: unknown[]) => {
      const { json, color: _color, ...options } = (given.at(-2) ?? {}) as Options;
      const { openSession } = await import('./session');
      const handler = (await load()) as (...all: unknown[]) => Promise<void>;
      await handler(openSession(json === true), ...given.slice(0, -2), options);
    });
  if (examples.length > 0) {
    command.addHelpText('after', `\nExamples:\n${examples.map((each) => `  ${each}`).join('\n')}`);
  }
}
