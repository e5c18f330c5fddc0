// The gateway under test, made ready: its document, a token of each role and one that was revoked, and a few things to ask about.

import { readDocument, type GatewayDocument } from './document';
import type { Caller } from './plan';

export interface Target {
  readonly url: string;
  /** Of an administrator. */
  readonly token: string;
}

export interface ReadyTarget extends Target {
  readonly document: GatewayDocument;
  readonly tokens: Readonly<Record<Exclude<Caller, 'wrong' | 'none'>, string>>;
  /** Ids of those tokens that are in use. */
  readonly tokenIds: ReadonlySet<string>;
}

const made = [
  ['/v1/networks', { name: 'web', subnets: [{ cidr: '10.20.0.0/24' }] }],
  ['/v1/networks', { name: 'db' }],
  ['/v1/networks/web/endpoints', { host: 'h1', name: 'a', service: 'api' }],
  ['/v1/networks/web/endpoints', { host: 'h2', name: 'b' }],
] as const;

/** Throws if the gateway does not do what the run needs. */
export async function prepare(target: Target): Promise<ReadyTarget> {
  const post = async (path: string, body: object): Promise<{ id: string; token: string }> => {
    const response = await fetch(`${target.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${target.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (response.status === 201) return (await response.json()) as { id: string; token: string };
    throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
  };
  const document = readDocument(await (await fetch(`${target.url}/openapi.json`)).text());
  const viewer = await post('/v1/tokens', { name: 'fuzz-viewer', role: 'viewer' });
  const operator = await post('/v1/tokens', { name: 'fuzz-operator', role: 'operator' });
  const revoked = await post('/v1/tokens', { name: 'fuzz-revoked', role: 'admin' });
  await fetch(`${target.url}/v1/tokens/${revoked.id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${target.token}` },
  });
  for (const [path, body] of made) await post(path, body);
  return {
    ...target,
    document,
    tokens: {
      admin: target.token,
      viewer: viewer.token,
      operator: operator.token,
      revoked: revoked.token,
    },
    tokenIds: new Set([viewer.id, operator.id]),
  };
}
