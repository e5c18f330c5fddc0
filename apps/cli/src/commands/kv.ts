// skein kv …: the store as it is.

import { readFileSync } from 'node:fs';
import { SkeinError } from '@skein/contracts';
import type { Json } from '../client/api';
import type { Session } from '../session';

export async function get(
  { api, out }: Session,
  key: string,
  options: { prefix?: boolean; limit?: number; revision?: number },
) {
  const { limit, revision } = options;
  const span = options.prefix === true ? { prefix: key } : { key };
  const found = await api.get('/v1/kv', { ...span, limit, revision });
  out.show(found, () => {
    if (options.prefix !== true) return found.kvs[0]?.value ?? `no such key at ${found.revision}`;
    const rows = found.kvs.map((kv: Json) => [kv.key, kv.modRevision, kv.version, kv.value]);
    const shown = out.table(['key', 'revision', 'version', 'value'], rows, 'no such keys');
    return found.more ? `${shown}\n… ${found.count} keys in all` : shown;
  });
  if (found.kvs.length === 0) process.exitCode = 3;
}

export async function put({ api, out }: Session, key: string, value: string) {
  const reply = await api.post('/v1/kv/txn', { success: [{ type: 'put', key, value }] });
  out.show(reply, () => `revision ${reply.revision}`);
}

export async function del({ api, out }: Session, key: string, options: { prefix?: boolean }) {
  const operation = { type: 'delete', key, ...(options.prefix === true ? { prefix: true } : {}) };
  const reply = await api.post('/v1/kv/txn', { success: [operation] });
  out.show(reply, () => `${reply.results[0].deleted} deleted, revision ${reply.revision}`);
}

/** The transaction as JSON, from a file or standard input. Exit code 4 if the comparison failed. */
export async function txn({ api, out }: Session, file: string | undefined) {
  const text = readInput(file);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new SkeinError('malformed_json', `The transaction is not JSON: ${String(cause)}`, {
      cause,
    });
  }
  const reply = await api.post('/v1/kv/txn', body);
  out.show(reply, () => JSON.stringify(reply, null, 2));
  if (reply.succeeded !== true) process.exitCode = 4;
}

function readInput(file: string | undefined): string {
  try {
    return readFileSync(file === undefined || file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new SkeinError('invalid_request', `'${file}' can't be read`, { field: 'file', cause });
  }
}
