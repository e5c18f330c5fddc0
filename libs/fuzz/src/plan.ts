// What request number `index` of a seed is: drawn from the document, and then, more often than not, spoilt in one way. The same seed
// and index give the same request; only what a request takes from earlier answers (tags, cursors, ids) differs between runs.

import { Random } from '@skein/simulation';
import type { Arbitraries } from './arbitrary';
import type { GatewayDocument, Operation } from './document';
import { draftOf, isDescribed, pathOf, type Draft } from './draft';
import { brokenJson, mangle, withDuplicate } from './mangle';
import type { Memory } from './memory';
import { nastyTexts } from './vocabulary';

export type Caller = 'admin' | 'operator' | 'viewer' | 'revoked' | 'wrong' | 'none';

export interface FuzzRequest {
  readonly kind: string;
  readonly method: string;
  /** With its query, as it goes on the wire. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** The only statuses that are right, where that is known. */
  readonly demand: readonly number[] | undefined;
}

/** What a kind makes of a draft. Absent parts stay as they are. */
interface Spoilt {
  readonly draft?: Draft;
  readonly method?: string;
  readonly path?: string;
  readonly text?: string;
  readonly contentType?: string | null;
  readonly caller?: Caller;
  readonly authorization?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly demand?: readonly number[];
}

type Spoil = (draft: Draft, random: Random, memory: Memory) => Spoilt;

export const maxBodyBytes = 1_048_576;
const refused = [400];
const roles = ['viewer', 'operator', 'admin'];

/** Each kind with how many of a hundred requests are of it. */
const kinds: readonly (readonly [string, number, Spoil])[] = [
  ['valid', 30, (draft) => ({ draft })],
  ['changed body', 18, changedBody],
  ['no JSON', 4, noJson],
  ['member twice', 1, (draft) => ({ text: withDuplicate(JSON.stringify(draft.body ?? {})) })],
  ['media type', 3, mediaType],
  ['large', 1, large],
  ['odd query', 10, oddQuery],
  ['odd path', 8, oddPath],
  ['token', 7, token],
  ['method', 4, otherMethod],
  ['If-Match', 5, ifMatch],
  ['Idempotency-Key', 2, oddKey],
  ['header', 4, oddHeader],
  ['remembered', 3, remembered],
];
const totalWeight = kinds.reduce((sum, [, weight]) => sum + weight, 0);

/** What costs the cluster much is asked less often than the rest, one in so many times. */
const seldom: Readonly<Record<string, number>> = {
  auditAddresses: 8,
  takeBackup: 6,
  getReplicaHash: 4,
  transferLeadership: 40,
  createEndpoints: 3,
  drainHost: 4,
  exclude: 3,
  deleteNetwork: 2,
};

export class Planner {
  constructor(
    private readonly document: GatewayDocument,
    private readonly values: Arbitraries,
    private readonly seed: number,
    private readonly tokens: Readonly<Partial<Record<Caller, string>>>,
    private readonly memory: Memory,
  ) {}

  request(index: number): FuzzRequest {
    const random = new Random(this.seed * 1_000_003 + index);
    const operation = this.#operation(random);
    const draft = draftOf(operation, random, this.values);
    const [kind, spoil] = kindAt(random.int(totalWeight));
    return this.#request(kind, draft, spoil(draft, random, this.memory));
  }

  #operation(random: Random): Operation {
    for (;;) {
      const operation = random.pick(this.document.operations);
      if (random.chance(1 / (seldom[operation.id] ?? 1))) return operation;
    }
  }

  #request(kind: string, original: Draft, spoilt: Spoilt): FuzzRequest {
    const { draft = original, caller = 'admin' } = spoilt;
    const { operation } = draft;
    const body = spoilt.text ?? (draft.body === undefined ? undefined : JSON.stringify(draft.body));
    const contentType = spoilt.contentType === undefined ? 'application/json' : spoilt.contentType;
    const authorization = spoilt.authorization ?? this.#authorization(caller);
    const isAsDrafted = spoilt.path === undefined && spoilt.text === undefined;
    return {
      kind,
      method: spoilt.method ?? operation.method,
      path: spoilt.path ?? pathOf(draft),
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === undefined || contentType === null ? {} : { 'content-type': contentType }),
        ...draft.headers,
        ...spoilt.headers,
      },
      body,
      demand:
        spoilt.demand ??
        (isAsDrafted && spoilt.method === undefined && !isDescribed(draft) ? refused : undefined),
    };
  }

  #authorization(caller: Caller): string | undefined {
    const secret = caller === 'wrong' ? 'not-a-token' : this.tokens[caller];
    return secret === undefined ? undefined : `Bearer ${secret}`;
  }
}

function kindAt(drawn: number): readonly [string, Spoil] {
  let left = drawn;
  for (const [kind, weight, spoil] of kinds) {
    if (left < weight) return [kind, spoil];
    left -= weight;
  }
  throw new Error('a draw beyond all kinds');
}

function changedBody(draft: Draft, random: Random): Spoilt {
  if (draft.operation.body === undefined) return oddQuery(draft, random);
  return { draft: { ...draft, body: mangle(draft.body, random) } };
}

const readsBody = ({ operation }: Draft): boolean => operation.body !== undefined;

function noJson(draft: Draft, random: Random): Spoilt {
  const text = brokenJson(JSON.stringify(draft.body ?? { name: 'web' }), random);
  return { text, ...(readsBody(draft) ? { demand: refused } : {}) };
}

function mediaType(draft: Draft, random: Random): Spoilt {
  const text = JSON.stringify(draft.body ?? { name: 'web' });
  const foreign = random.pick([
    'text/plain',
    'application/xml',
    'multipart/form-data',
    'json',
    '*/*',
  ]);
  const close = random.pick([
    'application/json; charset=utf-16',
    'APPLICATION/JSON',
    'application/json;;;',
    'application/jsonx',
    null,
  ]);
  if (random.chance(0.4)) return { text, contentType: close };
  return { text, contentType: foreign, ...(readsBody(draft) ? { demand: [415, 400] } : {}) };
}

function large(draft: Draft, random: Random): Spoilt {
  if (!readsBody(draft)) return oddHeader(draft, random);
  const over = random.pick([1, 4_096, maxBodyBytes]);
  const text = `{"name":"${'x'.repeat(maxBodyBytes)}"}`.slice(0, maxBodyBytes + over);
  return random.chance(0.5)
    ? { text: text.padEnd(maxBodyBytes + over, ' '), demand: [413] }
    : { text: text.slice(0, maxBodyBytes - 2) + '"}', demand: refused };
}

function oddQuery(draft: Draft, random: Random): Spoilt {
  const { query, operation } = draft;
  const names = operation.parameters.filter((each) => each.in === 'query').map(({ name }) => name);
  const name = names.length === 0 ? 'colour' : random.pick([...names, 'colour']);
  const value = random.pick([
    ...nastyTexts.filter((text) => text.length <= 8_000),
    '1000000',
    '999999999999999',
    '9999999999999999',
    '1e3',
    '0x10',
    '+1',
    ' 1',
    'TRUE',
  ]);
  const others = query.filter(([each]) => each !== name);
  const changed = random.pick([
    [...others, [name, value] as const],
    [...others, [name, value] as const, [name, value] as const],
    [...query, [`${name}[]`, value] as const],
  ]);
  if (random.chance(0.15)) {
    const raw = random.pick([
      '%',
      '%zz',
      '%c3%28',
      '&&&===',
      '=',
      'a=b=c',
      '\u00a0'.repeat(3),
      '#x',
      '?x',
    ]);
    return { path: `${pathOf({ ...draft, query: [] })}?${encodeURI(decodable(raw))}` };
  }
  return { draft: { ...draft, query: changed } };
}

/** Broken escapes stay as they are: `encodeURI` would mend them. */
const decodable = (raw: string): string => raw;

function oddPath(draft: Draft, random: Random): Spoilt {
  const names = Object.keys(draft.parameters);
  if (names.length > 0 && random.chance(0.6)) {
    const value = random.pick(nastyTexts);
    const parameters = { ...draft.parameters, [random.pick(names)]: value };
    // An empty part is another path, and a very long one is none.
    return { path: pathOf({ ...draft, parameters }) };
  }
  const path = pathOf(draft);
  return {
    path: random.pick([
      `${path}/`,
      path.replace('/v1/', '/v1//'),
      path.replace('/v1/', '/v2/'),
      path.replace('/v1/', '/V1/'),
      path.replace('/v1/', '/v1/./'),
      path.replace('/v1/', '/v1/../v1/'),
      path.replace('/v1/', '/v1%2f'),
      `${path}%`,
      `${path}%zz`,
      `${path}%00`,
      `${path}:drain`,
      `${path}:`,
      `${path};a=b`,
      `//evil.example${path}`,
      `/${'x'.repeat(6_000)}`,
      `/v1/networks/${'%F0%9F%98%80'.repeat(100)}`,
    ]),
  };
}

function token(draft: Draft, random: Random): Spoilt {
  const below = roles.slice(0, Math.max(0, roles.indexOf(draft.operation.role)));
  if (below.length > 0 && random.chance(0.5))
    return { caller: random.pick(below) as Caller, demand: [403] };
  if (random.chance(0.5))
    return { caller: random.pick(['wrong', 'none', 'revoked'] as const), demand: [401] };
  const authorization = random.pick([
    'Bearer',
    'Bearer ',
    'Basic YWRtaW46YWRtaW4=',
    `Bearer ${'x'.repeat(513)}`,
    'Bearer a b',
    'bearer x',
    'Bearer skein-token-',
    'Bearer \u00e9',
  ]);
  return { authorization, demand: [401] };
}

function otherMethod(_draft: Draft, random: Random): Spoilt {
  const method = random.pick([
    'HEAD',
    'HEAD',
    'OPTIONS',
    'PUT',
    'PATCH',
    'TRACE',
    'PROPFIND',
    'POST',
    'DELETE',
    'GET',
  ]);
  return { method };
}

function ifMatch(_draft: Draft, random: Random, memory: Memory): Spoilt {
  const value = random.pick([
    '*',
    '"1"',
    '"nonsense"',
    'W/"5"',
    '',
    ',',
    '"999999999999999999"',
    Array.from({ length: 20 }, (_, n) => `"${n}"`).join(', '),
    memory.recall('etag', random) ?? '"2"',
  ]);
  return { headers: { [random.pick(['if-match', 'if-none-match'])]: value } };
}

function oddKey(_draft: Draft, random: Random): Spoilt {
  const key = random.pick(['', ' ', 'a b', '\u00e9', 'x'.repeat(255), 'x'.repeat(256), 'k']);
  return { headers: { 'idempotency-key': key } };
}

function oddHeader(_draft: Draft, random: Random): Spoilt {
  const headers: readonly Readonly<Record<string, string>>[] = [
    { 'x-request-id': 'x'.repeat(65) },
    { 'x-request-id': '../../etc' },
    { 'last-event-id': random.pick(['1', 'x', '-1', '9'.repeat(20), '']) },
    { accept: random.pick(['application/json', 'text/event-stream', 'image/png', '']) },
    { range: 'bytes=0-1' },
    { 'accept-encoding': 'gzip, br;q=0, *' },
    { 'transfer-encoding': 'chunked' },
    { 'content-encoding': 'gzip' },
    { cookie: 'a='.repeat(3_000) },
    { 'x-http-method-override': 'DELETE' },
    { host: 'evil.example' },
    { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    { 'if-modified-since': 'yesterday' },
    { connection: 'close' },
  ];
  return { headers: random.pick(headers) };
}

/** With a tag, a cursor or an id that the gateway has given out. */
function remembered(draft: Draft, random: Random, memory: Memory): Spoilt {
  const id = memory.recall('id', random);
  const cursor = memory.recall('cursor', random);
  const names = Object.keys(draft.parameters).filter((name) => name !== 'lease');
  const takesCursor = draft.operation.parameters.some(({ name }) => name === 'cursor');
  if (takesCursor && cursor !== undefined)
    return { draft: { ...draft, query: [['cursor', cursor]] } };
  if (id === undefined || names.length === 0) return {};
  return { draft: { ...draft, parameters: { ...draft.parameters, [random.pick(names)]: id } } };
}
