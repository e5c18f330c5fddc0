// skein host token …: join tokens.

import { path, type Json } from '../client/api';
import { time } from '../output/table';
import { parseDuration } from '../output/units';
import type { Session } from '../session';

interface CreateOptions {
  readonly host?: string;
  readonly ttl?: string;
  readonly uses?: number;
  readonly declaresNetworks?: boolean;
}

export async function create({ api, out }: Session, options: CreateOptions) {
  const { host, ttl, uses, declaresNetworks = false } = options;
  const made = await api.post('/v1/join-tokens', {
    ...(host === undefined ? {} : { host }),
    ...(ttl === undefined ? {} : { ttlMs: parseDuration(ttl, 'ttl') }),
    ...(uses === undefined ? {} : { uses }),
    ...(declaresNetworks ? { declares: true } : {}),
  });
  const whom = made.host === undefined ? `${made.uses} host(s)` : `host ${made.host}`;
  out.show(made, () =>
    [
      made.token,
      '',
      `for ${whom}, until ${time(made.expiresAt)}; it is not shown again`,
      `on the host: SKEIN_JOIN_TOKEN, or the file join-token in the agent's folder`,
    ].join('\n'),
  );
}

export async function list({ api, out }: Session) {
  const found = { tokens: await api.list('/v1/join-tokens', 'tokens') };
  out.show(found, () => {
    const rows = found.tokens.map((each: Json) => [
      each.id,
      each.host ?? 'any',
      each.state,
      `${each.usesLeft} of ${each.uses}`,
      time(each.expiresAt),
    ]);
    return out.table(['id', 'host', 'state', 'uses left', 'expires'], rows, 'no join tokens');
  });
}

export async function revoke({ api, out }: Session, id: string) {
  const gone = await api.delete(path`/v1/join-tokens/${id}`);
  out.show(gone, () => `${id} revoked; hosts that have joined with it stay`);
}
