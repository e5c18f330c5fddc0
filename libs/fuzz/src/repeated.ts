// The same request again: under one idempotency key, at once and afterwards, and then another body under that key. Whatever comes of
// the first, the repetitions are told the same.

import { Random } from '@skein/simulation';
import type { Arbitraries } from './arbitrary';
import type { GatewayDocument } from './document';
import { draftOf, maxSeed, pathOf } from './draft';
import type { HttpAnswer, NoAnswer } from './http-client';
import type { FuzzRequest } from './plan';

const atOnce = 3;

export interface Repetition {
  readonly first: FuzzRequest;
  readonly times: number;
  /** Under the same key, with another body. */
  readonly other: FuzzRequest;
}

export function repetition(
  { operations }: GatewayDocument,
  values: Arbitraries,
  seed: number,
  index: number,
  token: string,
): Repetition {
  const random = new Random(seed * 1_000_003 + index);
  const keyed = operations.filter(
    ({ id, parameters }) =>
      id !== 'auditAddresses' && parameters.some(({ name }) => name === 'Idempotency-Key'),
  );
  const draft = draftOf(random.pick(keyed), random, values);
  const request = (body: unknown): FuzzRequest => ({
    kind: 'repeated',
    method: draft.operation.method,
    path: pathOf(draft),
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': `fuzz-${seed}-${index}`,
    },
    body: JSON.stringify(body),
    demand: undefined,
  });
  const { body = {} } = draft.operation;
  const another = values.sample(body, '', random.int(maxSeed));
  return { first: request(draft.body), times: atOnce, other: request(another) };
}

/** What is wrong with the answers to one request under one key. */
export function repetitionFault(answers: readonly (HttpAnswer | NoAnswer)[]): string | undefined {
  const made = answers.flatMap((each) => ('failure' in each || each.status >= 300 ? [] : [each]));
  const told = new Set(made.map(({ status, body }) => `${status} ${identityOf(body)}`));
  return told.size > 1 ? `one key made ${told.size} things` : undefined;
}

/** What was made, without how the hosts fared with it meanwhile. */
function identityOf(body: string): string {
  const { id, endpoints } = JSON.parse(body) as { id?: unknown; endpoints?: { id: unknown }[] };
  if (Array.isArray(endpoints)) return JSON.stringify(endpoints.map((each) => each.id));
  return id === undefined ? body : JSON.stringify(id);
}

/** Another request under a key that has made something is carried out never. */
export function otherFault(
  { first, other }: Repetition,
  answers: readonly (HttpAnswer | NoAnswer)[],
  answer: HttpAnswer | NoAnswer,
): string | undefined {
  const hasMade = answers.some((each) => !('failure' in each) && each.status < 300);
  const isDone = !('failure' in answer) && answer.status < 300;
  return hasMade && isDone && first.body !== other.body
    ? 'another request was carried out under a used key'
    : undefined;
}
