// Who is asking: bearer tokens, of which the gateway knows only SHA-256 digests, and what each role may do.

import { createHash, timingSafeEqual } from 'node:crypto';
import { SkeinError } from '@skein/contracts';
import { z } from 'zod';

/** From the least to the most: each may do what those before it may. */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

export const tokenSchema = z.strictObject({
  /** SHA-256 of the token, in hexadecimal. */
  token: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected the SHA-256 digest of a token in hexadecimal'),
  role: z.enum(roles),
  name: z.string().min(1).max(64),
});
export type TokenGrant = z.output<typeof tokenSchema>;

export interface Caller {
  readonly name: string;
  readonly role: Role;
}

export type Authenticate = (authorization: string | undefined) => Caller;

/** Throws `unauthenticated`. Compares with every known digest, so that time tells nothing of which one came close. */
export function authenticator(grants: readonly TokenGrant[]): Authenticate {
  const known = grants.map(({ token, role, name }) => ({
    digest: Buffer.from(token, 'hex'),
    caller: { name, role },
  }));
  return (authorization) => {
    const token = /^Bearer +([^\s]{1,512})$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      throw new SkeinError('unauthenticated', 'A bearer token is required');
    }
    const digest = createHash('sha256').update(token).digest();
    let caller: Caller | undefined;
    for (const each of known) if (timingSafeEqual(each.digest, digest)) caller = each.caller;
    if (caller === undefined) throw new SkeinError('unauthenticated', 'The token is not known');
    return caller;
  };
}

/** Throws `forbidden` if the caller's role is below the required one. */
export function authorize(caller: Caller, required: Role): void {
  if (roles.indexOf(caller.role) >= roles.indexOf(required)) return;
  throw new SkeinError(
    'forbidden',
    `This needs the role '${required}', the token has '${caller.role}'`,
    {
      facts: { requiredRole: required, role: caller.role },
    },
  );
}
