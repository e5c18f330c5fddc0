// How a command fails: what happened, its code, the field, and what to do about it, on standard error; the exit code comes from
// the table of codes.

import { readFileSync } from 'node:fs';
import { errorCodes, parseErrorHelp, SkeinError } from '@skein/contracts';
import pc from 'picocolors';
import { time } from './table';

/** Prints the error and answers the exit code. */
export function reportFailure(thrown: unknown, json: boolean): number {
  const error = SkeinError.from(thrown);
  const text = json
    ? JSON.stringify({ error: error.toBody() }, null, 2)
    : failureText(error, remedyOf(error.code));
  process.stderr.write(`${text}\n`);
  if (!(thrown instanceof SkeinError) && process.env['SKEIN_DEBUG'] !== undefined) {
    process.stderr.write(`${(thrown as Error).stack ?? ''}\n`);
  }
  return errorCodes[error.code].exit;
}

/** `remedy`: what the code says of itself, unless the error knows better by its fact `hint`. */
export function failureText(error: SkeinError, remedy: string | undefined): string {
  const lines = [`${pc.red('error:')} ${error.message}`, `  ${pc.dim('code')}  ${error.code}`];
  if (error.field !== undefined) lines.push(`  ${pc.dim('field')} ${error.field}`);
  for (const [name, value] of Object.entries(error.facts)) {
    if (typeof value === 'object' || ['faults', 'refused', 'hint'].includes(name)) continue;
    lines.push(`  ${pc.dim(name)} ${factText(name, value)}`);
  }
  const hint = error.facts['hint'] ?? remedy;
  if (hint !== undefined) lines.push(`  ${pc.dim('hint')}  ${String(hint)}`);
  return lines.join('\n');
}

/** Times travel as milliseconds; people read dates. */
function factText(name: string, value: unknown): string {
  const isTime = typeof value === 'number' && ['since', 'until', 'at'].includes(name);
  return isTime ? (time(value) ?? '') : String(value);
}

/** docs/errors.md lies beside dist/, and this code there or in a folder of it; without the page there is no hint. */
function remedyOf(code: string): string | undefined {
  for (const place of ['../docs/errors.md', '../../docs/errors.md']) {
    try {
      const markdown = readFileSync(new URL(place, import.meta.url), 'utf8');
      return parseErrorHelp(markdown).find((help) => help.code === code)?.remedy;
    } catch {
      continue;
    }
  }
  return undefined;
}
