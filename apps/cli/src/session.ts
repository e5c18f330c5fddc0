// What every command of the gateway's gets: the door, and where to print.

import { SkeinError } from '@skein/contracts';
import { Api } from './client/api';
import { findGateway } from './client/address';
import { Output } from './output/output';

export interface Session {
  readonly api: Api;
  readonly out: Output;
}

export function openSession(json: boolean): Session {
  return { api: new Api(findGateway(process.env, process.cwd())), out: new Output(json) };
}

/** Asks before what can't be undone; where nobody can answer, `--yes` has to be given. */
export async function demandConsent(question: string, yes: boolean): Promise<boolean> {
  if (!yes && !(process.stdin.isTTY && process.stderr.isTTY)) {
    throw new SkeinError('invalid_request', `This can't be undone: add --yes. (${question})`, {
      field: 'yes',
    });
  }
  const agreed = await confirm(question, yes);
  if (!agreed) process.stderr.write('nothing was changed\n');
  return agreed;
}

/** Asks before something is destroyed, where somebody can answer. */
export async function confirm(question: string, yes: boolean): Promise<boolean> {
  if (yes || !process.stdin.isTTY || !process.stderr.isTTY) return true;
  const { createInterface } = await import('node:readline/promises');
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}
