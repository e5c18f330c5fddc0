// What skein kv reads from files and from standard input: text, or a transaction as JSON.

import { readFileSync } from 'node:fs';
import { SkeinError } from '@skein/contracts';

/** Absent or `-`: standard input. */
export function readInput(file: string | undefined): string {
  return decodeText(readBytes(file), nameOf(file));
}

/** Values are text: what is none is refused rather than replaced. */
export function decodeText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SkeinError(
      'invalid_request',
      `${name} is not UTF-8; encode bytes as text, for instance with base64`,
      {
        cause,
      },
    );
  }
}

export function parseTransaction(text: string, file: string | undefined): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = text.trim() === '' ? 'it is empty' : (cause as SyntaxError).message;
    throw new SkeinError('malformed_json', `${nameOf(file)} is not JSON: ${reason}`, { cause });
  }
}

const exampleCompare = '{"key":"k","target":"version","operator":"=","value":0}';
const examplePut = '{"type":"put","key":"k","value":"v"}';
const exampleRange = '{"type":"range","key":"k"}';

/** An example of the part that was refused goes along with a refusal of its shape. */
export function hintOnShape(thrown: unknown): unknown {
  const error = SkeinError.from(thrown);
  if (error.code !== 'invalid_request' && error.code !== 'malformed_json') return thrown;
  const { code, message, field, facts, cause } = error;
  const hint = exampleOf(field?.split('.') ?? []);
  return new SkeinError(code, message, {
    ...(field === undefined ? {} : { field }),
    facts: { ...facts, hint },
    cause,
  });
}

function exampleOf([part, index]: readonly string[]): string {
  if (part === 'compare' && index !== undefined) return `A comparison is like ${exampleCompare}`;
  if ((part === 'success' || part === 'failure') && index !== undefined)
    return `An operation is like ${examplePut}, ${exampleRange} or {"type":"delete","key":"k"}`;
  const whole = `"compare":[${exampleCompare}],"success":[${examplePut}],"failure":[${exampleRange}]`;
  return `A transaction is like {${whole}}`;
}

function readBytes(file: string | undefined): Uint8Array {
  try {
    return readFileSync(file === undefined || file === '-' ? 0 : file);
  } catch (cause) {
    throw new SkeinError('invalid_request', `${nameOf(file)} can't be read`, {
      field: 'file',
      cause,
    });
  }
}

function nameOf(file: string | undefined): string {
  return file === undefined || file === '-' ? 'Standard input' : `'${file}'`;
}
