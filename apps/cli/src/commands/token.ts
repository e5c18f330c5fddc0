// skein token …: tokens with which people and programs come to the gateway.

import { path, type Json } from '../client/api';
import { time } from '../output/table';
import { parseBytes, parseDuration } from '../output/units';
import { demandConsent, type Session } from '../session';

interface CreateOptions {
  readonly role: string;
  readonly ttl?: string;
  readonly rate?: number;
  readonly maxBody?: string;
}

export async function create({ api, out }: Session, name: string, options: CreateOptions) {
  const { role, ttl, rate, maxBody } = options;
  const made = await api.post('/v1/tokens', {
    name,
    role,
    ...(ttl === undefined ? {} : { ttlMs: parseDuration(ttl, 'ttl') }),
    ...(rate === undefined ? {} : { requestsPerSecond: rate }),
    ...(maxBody === undefined ? {} : { maxBodyBytes: parseBytes(maxBody, 'max-body') }),
  });
  const until =
    made.expiresAt === undefined ? 'until it is revoked' : `until ${time(made.expiresAt)}`;
  out.show(made, () =>
    [
      made.token,
      '',
      `${role} ${made.name} (${made.id}), ${until}; it is not shown again`,
      'for the command line: SKEIN_TOKEN; over HTTP: Authorization: Bearer <token>',
    ].join('\n'),
  );
}

export async function list({ api, out }: Session) {
  const tokens = await api.list('/v1/tokens', 'tokens');
  out.show({ tokens }, () =>
    out.table(
      ['id', 'name', 'role', 'state', 'made', 'by', 'expires', 'last used'],
      tokens.map((each: Json) => [
        each.id,
        each.name,
        each.role,
        each.state,
        time(each.created.at),
        each.by,
        time(each.expiresAt),
        time(each.lastUsedAt),
      ]),
      'no tokens but the configured ones; `skein token create <name> --role viewer` makes one',
    ),
  );
}

export async function revoke(
  { api, out }: Session,
  id: string,
  { yes = false }: { yes?: boolean },
) {
  if (!(await demandConsent(`Revoke token ${id}?`, yes))) return;
  const gone = await api.delete(path`/v1/tokens/${id}`);
  out.show(gone, () => `${id} is revoked`);
}
