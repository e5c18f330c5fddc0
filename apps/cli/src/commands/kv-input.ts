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
