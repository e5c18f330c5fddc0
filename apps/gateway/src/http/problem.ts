// From any thrown value to an `application/problem+json` answer (RFC 9457). The table of codes alone decides the status;
// nothing else in Skein knows HTTP.

import { errorCodes, SkeinError, type ErrorCode } from '@skein/contracts';
import { z } from 'zod';

export const problemContentType = 'application/problem+json; charset=utf-8';

export const problemSchema = z
  .looseObject({
    type: z.string().meta({ description: 'Where the code is explained, relative to the gateway.' }),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    field: z
      .string()
      .optional()
      .meta({ description: 'Path of the offending part of the request.' }),
    requestId: z.string().optional(),
  })
  .meta({
    id: 'Problem',
    description: 'An error. Further members are facts that belong to its code.',
  });
export type Problem = z.output<typeof problemSchema>;

/** Facts never replace the members that RFC 9457 and this gateway define. */
export function toProblem(error: SkeinError, requestId?: string): Problem {
  const { title, status } = errorCodes[error.code];
  const own = {
    type: problemType(error.code),
    title,
    status,
    code: error.code,
    detail: error.message,
    ...(error.field === undefined ? {} : { field: error.field }),
    ...(requestId === undefined ? {} : { requestId }),
  };
  return { ...own, ...error.facts, ...own };
}

export function problemType(code: ErrorCode): string {
  return `/docs/errors#${code}`;
}

/** What Fastify and Nest throw by themselves, before a route is reached. */
export function toSkeinError(thrown: unknown): SkeinError {
  if (thrown instanceof SkeinError) return thrown;
  const { code, status, message } = edgeFault(thrown);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refuse('payload_too_large', message);
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return refuse('unsupported_media_type', message);
  if (status === 404) return refuse('route_not_found', message);
  if (status === 413) return refuse('payload_too_large', message);
  if (status === 415) return refuse('unsupported_media_type', message);
  if (status !== undefined && status >= 400 && status < 500)
    return refuse('invalid_request', message);
  return SkeinError.from(thrown);

  function refuse(refusal: ErrorCode, detail: string): SkeinError {
    return new SkeinError(refusal, detail, { cause: thrown });
  }
}

function edgeFault(thrown: unknown): {
  code: string | undefined;
  status: number | undefined;
  message: string;
} {
  const fault = thrown as {
    code?: unknown;
    statusCode?: unknown;
    status?: unknown;
    message?: unknown;
  };
  const status = fault?.statusCode ?? fault?.status;
  return {
    code: typeof fault?.code === 'string' ? fault.code : undefined,
    status: typeof status === 'number' ? status : undefined,
    message: typeof fault?.message === 'string' ? fault.message : String(thrown),
  };
}
