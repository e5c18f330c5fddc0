// Where requests are followed through the services: the parts of a trace that conversations are. What a trace is made of, and who is
// told of it, is not known here; the request's id finds the part that goes on, the header carries it to the next process.

import { errorCodes, SkeinError } from '@skein/contracts';
import type { RequestContext } from './request-context';

/** W3C Trace Context, as HTTP and NATS' own tools write it. */
export const traceparentHeader = 'traceparent';

/** `door`: a request from outside; `served` and `asked`: a conversation over NATS; `within`: work on it inside of the process. */
export type PartKind = 'door' | 'served' | 'asked' | 'within';

export interface PartStart {
  readonly kind: PartKind;
  /** `service.verb` of a conversation, or what is done. */
  readonly name: string;
  /** On whose behalf; the first that is followed leads, the others are pointed to. */
  readonly requestIds: readonly string[];
  /** What came with the request, unchecked. */
  readonly traceparent?: string | undefined;
  readonly facts?: PartFacts | undefined;
}

export type PartFacts = Readonly<Record<string, string | number>>;

/** A part that has begun and not ended. */
export interface Part {
  /** What goes along with messages that are sent for it. */
  readonly traceparent: string;
  /** `ok`, or the error's code and whether it is a failure rather than a refusal. Ending it twice is harmless. */
  end(outcome: PartOutcome): void;
}

export interface PartOutcome {
  readonly code: string;
  readonly isFailure?: boolean | undefined;
  readonly facts?: PartFacts | undefined;
}

export interface Tracing {
  /** Undefined where nobody follows any of the requests. */
  begin(start: PartStart): Part | undefined;
}

/** Whose parts are to be told at the moment, if anybody's. */
export interface Traced {
  by: Tracing | undefined;
}

/** Does the work as a part of its own of the requests that it is done for. */
export function within<Result>(
  context: Pick<RequestContext, 'requestId' | 'alsoFor' | 'tracing'>,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const { requestId, alsoFor = [], tracing } = context;
  const part = tracing?.begin({ kind: 'within', name, requestIds: [requestId, ...alsoFor] });
  return part === undefined ? work() : until(part, work);
}

/** Does the work, and ends the part with what came of it. */
export async function until<Result>(part: Part, work: () => Promise<Result>): Promise<Result> {
  try {
    const result = await work();
    part.end({ code: 'ok' });
    return result;
  } catch (thrown) {
    part.end(outcomeOf(thrown));
    throw thrown;
  }
}

export function outcomeOf(thrown: unknown): PartOutcome {
  const { code } = SkeinError.from(thrown);
  return { code, isFailure: errorCodes[code].status >= 500 };
}
