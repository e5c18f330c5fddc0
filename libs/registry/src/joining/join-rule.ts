// Whether a join token lets a host in: a decision over what the store holds of token and host. It knows neither the store nor
// how tokens and keys are made.

import {
  joinTokenPattern,
  SkeinError,
  type HostIdentityRecord,
  type JoinTokenRecord,
  type JoinTokenView,
} from '@skein/contracts';

export interface JoinRequest {
  readonly host: string;
  readonly publicKey: string;
  /** Of the secret that was sent. */
  readonly digest: string;
}

const prefix = 'skein-join';

export const joinTokenText = (id: string, secret: string): string => `${prefix}-${id}-${secret}`;

/** Throws `join_token_malformed`. */
export function parseJoinToken(text: string): { readonly id: string; readonly secret: string } {
  const [, id, secret] = joinTokenPattern.exec(text.trim()) ?? [];
  if (id !== undefined && secret !== undefined) return { id, secret };
  throw new SkeinError('join_token_malformed', `A join token reads ${prefix}-<id>-<secret>`, {
    field: 'token',
  });
}

/**
 * `spend`: lets it in and counts as a use; `repeat`: it is in already, its answer may have been lost. Throws a refusal. Who does
 * not know the secret learns nothing of the token.
 */
export function judgeJoin(
  request: JoinRequest,
  token: JoinTokenRecord | undefined,
  identity: HostIdentityRecord | undefined,
  now: number,
): 'spend' | 'repeat' {
  if (token === undefined || token.digest !== request.digest) throw refusal('join_token_unknown');
  const isSame = identity?.publicKey === request.publicKey;
  if (isSame && identity.joinToken === token.id) return 'repeat';
  const { id, host, expiresAt } = token;
  if (token.isRevoked === true) throw refusal('join_token_revoked', { id });
  if (now >= expiresAt) throw refusal('join_token_expired', { id, expiresAt });
  if (host !== undefined && host !== request.host) {
    throw refusal('join_token_for_other_host', { id, host });
  }
  if (token.usesLeft < 1) throw refusal('join_token_used_up', { id });
  // Only who names the host may put another key in the place of its first.
  if (identity !== undefined && !isSame && host === undefined) {
    throw refusal('host_already_joined', { host: request.host }, 'host');
  }
  return 'spend';
}

const words = {
  join_token_unknown: 'No join token is like this one',
  join_token_revoked: 'The join token was revoked',
  join_token_expired: 'The join token has expired',
  join_token_for_other_host: 'The join token is for another host',
  join_token_used_up: 'The join token has been used up',
  host_already_joined: 'A host of this id has joined with another key',
} as const;

function refusal(
  code: keyof typeof words,
  facts: Readonly<Record<string, unknown>> = {},
  field = 'token',
): SkeinError {
  return new SkeinError(code, words[code], { field, facts });
}

export function joinTokenView(
  { digest: _, isRevoked, ...record }: JoinTokenRecord,
  now: number,
): JoinTokenView {
  const ended =
    isRevoked === true
      ? ('revoked' as const)
      : record.usesLeft < 1
        ? ('used_up' as const)
        : now >= record.expiresAt
          ? ('expired' as const)
          : undefined;
  return { ...record, state: ended ?? 'usable' };
}
