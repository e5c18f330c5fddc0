// What every command of the gateway's gets: the door, and where to print.

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
