// Many commands of `ip` or `bridge` in one process, each tied to the change that it belongs to, so that a failure is told of
// that change alone. Knows nothing of what the commands mean.

import type { Change } from '@skein/vxlan';
import { runCommand } from './run-command';

export interface BatchLine {
  readonly text: string;
  readonly change: Change;
  /** True for what may well be gone already: its failure is none. */
  readonly mayFail: boolean;
}

export interface BatchFault {
  readonly change: Change;
  readonly message: string;
}

/** Host's own namespace, or one that exists. */
export type ExistingPlace =
  { readonly at: 'host' } | { readonly at: 'existing'; readonly path: string };

/** One that is made by this very command is another. */
export type Place = ExistingPlace | { readonly at: 'new'; readonly path: string };

export function keyOfPlace(place: ExistingPlace): string {
  return place.at === 'host' ? 'host' : place.path;
}

/** `entered` is false if the namespace itself could not be reached: then nothing was done. */
export interface BatchOutcome {
  readonly entered: boolean;
  readonly faults: readonly BatchFault[];
}

export function inPlace(place: Place, command: readonly string[]): string[] {
  switch (place.at) {
    case 'host':
      return [...command];
    case 'existing':
      return ['nsenter', `--net=${place.path}`, '--', ...command];
    case 'new':
      return ['unshare', `--net=${place.path}`, '--', ...command];
  }
}

export function line(
  change: Change,
  tokens: readonly string[],
  options: { readonly mayFail?: boolean } = {},
): BatchLine {
  for (const token of tokens) assertToken(token);
  return { text: tokens.join(' '), change, mayFail: options.mayFail ?? false };
}

/** Of a text whose changing parts are these two tokens: a share has very many rows. */
export function rowLine(change: Change, text: string, ...tokens: string[]): BatchLine {
  tokens.forEach(assertToken);
  return { text, change, mayFail: false };
}

/** Nothing that a batch would take for a separator, a quote, a comment or an option. */
function assertToken(token: string): void {
  if (!/^[A-Za-z0-9/][A-Za-z0-9_.:/-]{0,299}$/.test(token)) {
    throw new Error(`'${token}' can't be part of a command`);
  }
}

export async function runBatch(
  tool: 'ip' | 'bridge',
  place: Place,
  lines: readonly BatchLine[],
): Promise<BatchOutcome> {
  if (lines.length === 0 && place.at !== 'new') return { entered: true, faults: [] };
  const outcome = await runCommand(inPlace(place, [tool, '-force', '-batch', '-']), textOf(lines));
  if (outcome.exitCode === 0) return { entered: true, faults: [] };
  const failures = failedLines(outcome.stderr);
  if (failures.size === 0) {
    const message = outcome.stderr.trim() || `${tool} ended with ${outcome.exitCode}`;
    const entered = !/^(nsenter|unshare):/m.test(outcome.stderr);
    return { entered, faults: lines.map(({ change }) => ({ change, message })) };
  }
  return { entered: true, faults: faultsOf(lines, failures) };
}

/** As a batch reads it. */
export function textOf(lines: readonly BatchLine[]): string {
  let text = '';
  for (const each of lines) text += `${each.text}\n`;
  return text;
}

/** Of failures by line number, from 1, those that count. */
export function faultsOf(
  lines: readonly BatchLine[],
  failures: ReadonlyMap<number, string>,
): BatchFault[] {
  const faults: BatchFault[] = [];
  for (const [number, message] of failures) {
    const failed = lines[number - 1];
    if (failed === undefined || failed.mayFail) continue;
    faults.push({ change: failed.change, message: `${message} (${failed.text})` });
  }
  return faults;
}

/** Messages by line number, from 1: `RTNETLINK answers: …`, then `Command failed -:3`. */
export function failedLines(stderr: string): Map<number, string> {
  const failures = new Map<number, string>();
  let message: string[] = [];
  for (const text of stderr.split('\n')) {
    const failed = /^Command failed -:(\d+)$/.exec(text);
    if (failed === null) {
      if (text.trim() !== '') message.push(text.trim());
      continue;
    }
    failures.set(Number(failed[1]), message.join('; ') || 'refused');
    message = [];
  }
  return failures;
}
