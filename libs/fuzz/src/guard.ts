// What the fuzz does not ask for, because the gateway would do it: to write over the cluster's own keys, to take its managers away,
// to leave it no room. An administrator may; a run that did could prove nothing afterwards.

import type { FuzzRequest } from './plan';
import { keyPrefix, managers } from './vocabulary';

const leastQuotaBytes = 67_108_864;

export interface Spared {
  /** Ids of tokens that the run itself uses. */
  readonly tokens: ReadonlySet<string>;
}

export function isSpared({ method, path, body }: FuzzRequest, { tokens }: Spared): boolean {
  const [pathname = ''] = path.split('?');
  const last = pathname.split('/').at(-1) ?? '';
  if (pathname.startsWith('/v1/cluster/members/'))
    return method !== 'GET' && managers.some((id) => last.startsWith(id));
  if (pathname.startsWith('/v1/leases/')) return method !== 'GET' && !last.startsWith('fuzz-');
  if (pathname.startsWith('/v1/tokens/')) return method === 'DELETE' && tokens.has(last);
  if (method !== 'POST' || body === undefined) return false;
  const parsed = asJson(body);
  if (pathname === '/v1/cluster/settings') return leavesNoRoom(parsed);
  return pathname === '/v1/kv/txn' && writesElsewhere(parsed);
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function leavesNoRoom(body: unknown): boolean {
  if (!isRecord(body)) return false;
  const { quotaBytes } = body;
  return typeof quotaBytes === 'number' && quotaBytes < leastQuotaBytes;
}

/** Whether a put or delete, at any depth, reaches a key that is not the run's. */
function writesElsewhere(body: unknown): boolean {
  if (Array.isArray(body)) return body.some(writesElsewhere);
  if (!isRecord(body)) return false;
  const { type, key, rangeEnd } = body;
  if (type === 'put' || type === 'delete') {
    const reached = rangeEnd === undefined ? [key] : [key, rangeEnd];
    return !reached.every((each) => typeof each === 'string' && each.startsWith(keyPrefix));
  }
  return Object.values(body).some(writesElsewhere);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
