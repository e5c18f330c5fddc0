// skein kv get, put, del, txn, compact: the store as it is. Its past and its changes are in kv-history.ts.

import { SkeinError } from '@skein/contracts';
import type { Json } from '../client/api';
import { counted, parseDuration } from '../output/units';
import { demandConsent, type Session } from '../session';
import { hintOnShape, parseTransaction, readInput } from './kv-input';
import { parseCompare, parseOperation } from './txn-text';

/** Skein's own state: what is done there by hand, no service expects. */
const ownPrefix = '/skein/';

export interface GetOptions {
  readonly prefix?: boolean;
  readonly rangeEnd?: string;
  readonly limit?: number;
  readonly revision?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly sort?: string;
  readonly order?: string;
  readonly consistency?: string;
  readonly maxStaleness?: string;
  readonly replica?: string;
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
}

export async function get({ api, out }: Session, key: string, options: GetOptions) {
  const { prefix, maxStaleness, ...rest } = options;
  const span = prefix === true ? { prefix: key } : { key };
  const bound =
    maxStaleness === undefined
      ? {}
      : { maxStalenessMs: parseDuration(maxStaleness, 'max-staleness') };
  const found = await api.get('/v1/kv', { ...span, ...rest, ...bound });
  const isOne = prefix !== true && options.rangeEnd === undefined;
  out.show(found, () => {
    if (options.countOnly === true) return String(found.count);
    if (options.keysOnly === true) return found.kvs.map((kv: Json) => kv.key).join('\n');
    if (isOne) return found.kvs[0]?.value ?? `no such key at ${found.revision}`;
    const rows = found.kvs.map((kv: Json) => [
      kv.key,
      kv.modRevision,
      kv.version,
      kv.lease,
      kv.value,
    ]);
    const shown = out.table(['key', 'revision', 'version', 'lease', 'value'], rows, 'no such keys');
    return found.more ? `${shown}\n… ${found.kvs.length} of ${found.count} keys` : shown;
  });
  if (found.kvs.length === 0 && options.countOnly !== true) process.exitCode = 3;
}

export interface PutOptions {
  readonly lease?: string;
  readonly previous?: boolean;
  readonly keepLease?: boolean;
  /** 0: only if there is no such key. */
  readonly ifRevision?: number;
  readonly yes?: boolean;
}

/** Exit code 4 if the key has another revision than was demanded. */
export async function put(
  { api, out }: Session,
  key: string,
  value: string,
  { lease, previous, keepLease, ifRevision, yes }: PutOptions,
) {
  if (!(await mayTouch(key, yes))) return;
  const operation = {
    type: 'put',
    key,
    value: value === '-' ? readInput('-') : value,
    ...(lease === undefined ? {} : { lease }),
    ...(previous === true ? { previous } : {}),
    ...(keepLease === true ? { ignoreLease: true } : {}),
  };
  const compare =
    ifRevision === undefined
      ? []
      : [{ key, target: 'modRevision', operator: '=', value: ifRevision }];
  const failure = compare.length === 0 ? [] : [{ type: 'range', key }];
  const reply = await api.post('/v1/kv/txn', { compare, success: [operation], failure });
  out.show(reply, () => {
    if (!reply.succeeded) return `not written: ${actualText(reply.results[0]?.kvs[0])}`;
    const before = reply.results[0]?.previous;
    return `revision ${reply.revision}${before === undefined ? '' : `, before it ${before.value}`}`;
  });
  if (reply.succeeded !== true) process.exitCode = 4;
}

function actualText(kv: Json): string {
  return kv === undefined ? 'there is no such key' : `the key has revision ${kv.modRevision}`;
}

export interface DeleteOptions {
  readonly prefix?: boolean;
  readonly rangeEnd?: string;
  readonly previous?: boolean;
  readonly yes?: boolean;
}

export async function del({ api, out }: Session, key: string, options: DeleteOptions) {
  const { prefix, rangeEnd, previous, yes } = options;
  if (!(await mayTouch(key, yes))) return;
  const isMany = prefix === true || rangeEnd !== undefined;
  if (isMany && !(await demandConsent(await manyText(api, key, options), yes ?? false))) return;
  const operation = {
    type: 'delete',
    key,
    ...(prefix === true ? { prefix } : {}),
    ...(rangeEnd === undefined ? {} : { rangeEnd }),
    ...(previous === true ? { previous } : {}),
  };
  const reply = await api.post('/v1/kv/txn', { success: [operation] });
  const [{ deleted, previous: gone }] = reply.results;
  out.show(reply, () => {
    const rows = (gone ?? []).map((kv: Json) => [kv.key, kv.modRevision, kv.value]);
    const shown = previous === true ? `\n${out.table(['key', 'revision', 'value'], rows, '')}` : '';
    return `${deleted} deleted, revision ${reply.revision}${rows.length === 0 ? '' : shown}`;
  });
}

async function manyText(api: Session['api'], key: string, options: DeleteOptions) {
  const span = options.prefix === true ? { prefix: key } : { key, rangeEnd: options.rangeEnd };
  const { count } = await api.get('/v1/kv', { ...span, countOnly: true });
  return `Delete ${counted(count, 'key')}?`;
}

/** Skein's own keys are touched only by those who say so. */
async function mayTouch(key: string, yes: boolean | undefined): Promise<boolean> {
  if (!key.startsWith(ownPrefix) && key !== '') return true;
  return demandConsent(
    `Keys under ${ownPrefix} are Skein's own state. Change them by hand?`,
    yes ?? false,
  );
}

export interface TransactionOptions {
  readonly if?: string[];
  readonly then?: string[];
  readonly else?: string[];
}

/** As JSON from a file or standard input, or as `--if`, `--then`, `--else`. Exit code 4 if the comparison failed. */
export async function txn(
  { api, out }: Session,
  file: string | undefined,
  options: TransactionOptions,
) {
  const isTyped = [options.if, options.then, options.else].some((each) => each !== undefined);
  if (isTyped && file !== undefined) {
    throw new SkeinError('invalid_request', 'A file and --if, --then, --else exclude each other', {
      field: 'file',
    });
  }
  const body = isTyped
    ? {
        compare: (options.if ?? []).map(parseCompare),
        success: (options.then ?? []).map((each) => parseOperation(each, 'then')),
        failure: (options.else ?? []).map((each) => parseOperation(each, 'else')),
      }
    : readTransaction(file);
  const reply = await api.post('/v1/kv/txn', body).catch((thrown: unknown) => {
    throw isTyped ? thrown : hintOnShape(thrown);
  });
  out.show(reply, () => (isTyped ? replyText(reply) : JSON.stringify(reply, null, 2)));
  if (reply.succeeded !== true) process.exitCode = 4;
}

function readTransaction(file: string | undefined): unknown {
  const text = readInput(file);
  try {
    return parseTransaction(text, file);
  } catch (thrown) {
    throw hintOnShape(thrown);
  }
}

function replyText(reply: Json): string {
  const head = `${reply.succeeded ? 'succeeded' : 'failed'}, revision ${reply.revision}`;
  const lines = reply.results.flatMap((result: Json) => {
    if (result.type === 'put') return ['put'];
    if (result.type === 'delete') return [`deleted ${result.deleted}`];
    if (result.type !== 'range') return [JSON.stringify(result)];
    if (result.kvs.length === 0) return ['no such key'];
    return result.kvs.map((kv: Json) => `${kv.key} = ${kv.value} (revision ${kv.modRevision})`);
  });
  return [head, ...lines].join('\n');
}

export async function compact({ api, out }: Session, revision: number, options: { yes?: boolean }) {
  const question = `Drop the history up to revision ${revision}?`;
  if (!(await demandConsent(question, options.yes ?? false))) return;
  const done = await out.progress('compacting', api.post('/v1/kv:compact', { revision }));
  out.show(
    done,
    () =>
      `history is kept from revision ${done.compactRevision + 1} on, the store is at ${done.revision}`,
  );
}
