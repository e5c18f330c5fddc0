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

/** Asks before something is destroyed; where nobody can answer, `--yes` has to be given. */
export async function demandConsent(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    const message = `Nobody can be asked here: add --yes (${question})`;
    throw new SkeinError('invalid_request', message, { field: 'yes' });
  }
  const agreed = await confirm(question);
  if (!agreed) process.stderr.write('nothing was changed\n');
  return agreed;
}

async function confirm(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}
