// Whether an answer is one that the document promises. Looks at one request and its answer; what happens to the cluster meanwhile it
// is told.

import { errorCodes, isErrorCode } from '@skein/contracts';
import type { Operation } from './document';
import type { HttpAnswer, NoAnswer } from './http-client';
import type { FuzzRequest } from './plan';
import { managers } from './vocabulary';

export interface Circumstances {
  /** Codes that docs/errors.md explains. */
  readonly explained: ReadonlySet<string>;
  /** True while the leader may be away because it was asked to go. */
  readonly isLeaderAway: boolean;
}

interface Problem {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly replica?: unknown;
  readonly field?: string;
}

/** What a request that is none of the document's operations may be told. */
const withoutOperation = new Map([
  [400, ['invalid_request']],
  [404, ['route_not_found']],
  [405, ['method_not_allowed']],
]);
const away = [
  'no_leader',
  'not_leader',
  'term_not_opened',
  'unavailable',
  'deadline_exceeded',
  'unknown_outcome',
];

/** What is wrong with it, in a few words that are the same for the same fault; undefined if nothing is. */
export function faultOf(
  request: FuzzRequest,
  operation: Operation | undefined,
  answer: HttpAnswer | NoAnswer,
  circumstances: Circumstances,
): string | undefined {
  if ('failure' in answer) return `${answer.failure}: ${answer.reason}`;
  const { status, headers } = answer;
  if (headers['x-request-id'] === undefined) return 'no x-request-id';
  if (
    request.demand !== undefined &&
    !request.demand.includes(status) &&
    !isExcused(answer, circumstances)
  )
    return `${status} where ${request.demand.join(' or ')} is right`;
  if (status < 400) return successFault(request, operation, answer);
  return request.method === 'HEAD'
    ? headFault(operation, answer)
    : problemFault(operation, answer, circumstances);
}

function isExcused({ status }: HttpAnswer, { isLeaderAway }: Circumstances): boolean {
  return isLeaderAway && (status === 503 || status === 504);
}

function successFault(
  { method }: FuzzRequest,
  operation: Operation | undefined,
  { status, headers, body, isStream }: HttpAnswer,
): string | undefined {
  if (operation === undefined) return `${status} where no operation is`;
  const documented = operation.answers.get(status);
  if (documented === undefined) return `${status} is not documented`;
  const type = mediaTypeOf(headers['content-type']);
  if (method === 'HEAD' || documented.bodies.size === 0)
    return body === '' ? undefined : 'a body where there is none';
  const checker = documented.bodies.get(type);
  if (checker === undefined) return `${status} as ${type || 'nothing'}`;
  if (isStream) return /^(: |event: |id: |data: |\n|$)/.test(body) ? undefined : 'no event stream';
  if (type !== 'application/json') return undefined;
  const parsed = parse(body);
  const checked = checker.safeParse(parsed);
  if (checked.success) return undefined;
  const [issue] = checked.error.issues;
  return `the body of ${status} is not as documented: ${issue?.path.map(String).join('.')} ${issue?.message}`;
}

function headFault(
  operation: Operation | undefined,
  { status, body }: HttpAnswer,
): string | undefined {
  if (body !== '') return 'a body for HEAD';
  if (status >= 500 && status !== 503 && status !== 504) return `${status}`;
  if (operation === undefined) return withoutOperation.has(status) ? undefined : `${status}`;
  return operation.answers.has(status) ? undefined : `${status} is not documented`;
}

function problemFault(
  operation: Operation | undefined,
  answer: HttpAnswer,
  circumstances: Circumstances,
): string | undefined {
  const { status, headers, body } = answer;
  if (mediaTypeOf(headers['content-type']) !== 'application/problem+json')
    return `${status} as ${headers['content-type'] ?? 'nothing'}`;
  const problem = parse(body) as Problem | undefined;
  const code = problem?.code;
  if (problem === undefined || typeof code !== 'string' || problem.status !== status)
    return `${status} with a body that is no problem`;
  if (!isErrorCode(code) || errorCodes[code].status !== status)
    return `${status} with code ${code}`;
  if (!circumstances.explained.has(code)) return `docs/errors.md does not explain ${code}`;
  if (code === 'internal') return `500 ${problem.detail}`;
  if (operation === undefined)
    return withoutOperation.get(status)?.includes(code) === true
      ? undefined
      : `${status} ${code} where no operation is`;
  const documented = operation.answers.get(status);
  if (documented === undefined) return `${status} ${code} is not documented`;
  if (!documented.codes.has(code)) return `${code} is not documented under ${status}`;
  return away.includes(code) && !mayBeAway(problem, circumstances)
    ? `${status} ${code} while everything runs: ${problem.detail}`
    : undefined;
}

/** Nobody answers for a manager that there is not, and what is repeated may wait for the first. */
function mayBeAway({ replica, field }: Problem, { isLeaderAway }: Circumstances): boolean {
  return (
    isLeaderAway ||
    field === 'Idempotency-Key' ||
    (typeof replica === 'string' && !managers.some((id) => id === replica))
  );
}

const mediaTypeOf = (header: string | undefined): string =>
  (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
