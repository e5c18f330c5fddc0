// Who is asking: bearer tokens, of which the gateway knows only SHA-256 digests, and what each role may do. Some it is configured
// with, the others are the token book's.

import { createHash, timingSafeEqual } from 'node:crypto';
import { roles, SkeinError, tokenDigestSchema, type Role } from '@skein/contracts';
import { z } from 'zod';

export const tokenSchema = z.strictObject({
  token: tokenDigestSchema,
  role: z.enum(roles),
  name: z.string().min(1).max(64),
});
export type TokenGrant = z.output<typeof tokenSchema>;

export interface Caller {
  /** Of the token: no two share one. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly requestsPerSecond?: number | undefined;
  readonly maxBodyBytes?: number | undefined;
}

export type Authenticate = (authorization: string | undefined) => Caller;

/** Tokens that were made at run time. */
export interface MadeTokens {
  isOurs(token: string): boolean;
  find(token: string): Caller;
}

/** Throws `unauthenticated`. Compares with every known digest, so that time tells nothing of which one came close. */
export function authenticator(grants: readonly TokenGrant[], made?: MadeTokens): Authenticate {
  const known = grants.map(({ token, role, name }) => ({
    digest: Buffer.from(token, 'hex'),
    caller: { id: `configured/${name}`, name, role },
  }));
  return (authorization) => {
    const token = /^Bearer +([^\s]{1,512})$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      throw new SkeinError('unauthenticated', 'A bearer token is required');
    }
    const digest = createHash('sha256').update(token).digest();
    let caller: Caller | undefined;
    for (const each of known) if (timingSafeEqual(each.digest, digest)) caller = each.caller;
    if (caller !== undefined) return caller;
    if (made?.isOurs(token) === true) return made.find(token);
    throw new SkeinError('unauthenticated', 'The token is not known');
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
