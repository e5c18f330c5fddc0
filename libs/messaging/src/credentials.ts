// Who a connection is to NATS: a signed statement (user JWT) of what it may do, and the key that proves that it is meant. The
// text form is that of the `.creds` files of NATS' own tools.

import { SkeinError } from '@skein/contracts';

export interface NatsCredentials {
  /** Asked for at each connect, so that a renewed one is used from the next on. */
  readonly jwt: () => string;
  readonly seed: Uint8Array;
}

const part = /-{3,}[^\n]*-{3,}\n\s*([\w.=-]+)\s*\n-{3,}[^\n]*-{3,}/g;

/** Reads a `.creds` file's text. Throws `invalid_request`. */
export function parseCredentials(text: string): NatsCredentials {
  const [jwt, seed] = [...text.matchAll(part)].map((match) => match[1]);
  if (jwt === undefined || seed === undefined || !seed.startsWith('SU')) {
    throw new SkeinError('invalid_request', 'This is no NATS credentials file');
  }
  return { jwt: () => jwt, seed: new TextEncoder().encode(seed) };
}
