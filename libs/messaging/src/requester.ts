// The asking side: sends one request, waits for its answer within the deadline, and names what went wrong. It says
// `unavailable` only if the request certainly ran nowhere, and `unknown_outcome` if it may have run and can't be repeated.

import { errors, nuid, type Msg, type NatsConnection } from '@nats-io/transport-node';
import {
  SkeinError,
  speakerOf,
  type Contract,
  type ReplyOf,
  type RequestOf,
} from '@skein/contracts';
import { jitter, pause } from './connection';
import { Deadline } from './deadline';
import type { RequestContext } from './request-context';
import { retryWaitMs } from './settings';
import { until, type Traced } from './tracing';
import {
  checkBodySize,
  decodeJson,
  encodeJson,
  errorOf,
  headerRoomBytes,
  maxBodyBytes,
  requestHeaders,
} from './wire';

export interface RequestOptions {
  /** Whom to ask, for a contract that each instance serves on a subject of its own. */
  readonly instance?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly deadline?: Deadline | undefined;
  readonly requestId?: string | undefined;
  /** Ids of further requests on whose behalf it is made. */
  readonly alsoFor?: readonly string[] | undefined;
  /** The request on whose behalf this one is made: its id and deadline go along. */
  readonly context?: RequestContext | undefined;
  /** Ask again, with pauses, while nobody serves the subject, until the deadline. */
  readonly retryUnavailable?: boolean | undefined;
}

interface Outgoing {
  readonly contract: Contract;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly deadline: Deadline;
  readonly requestId: string;
  readonly alsoFor: readonly string[] | undefined;
  traceparent: string | undefined;
}

/** Thrown inside only: nobody received the request. */
class NobodyThere extends SkeinError {
  constructor(subject: string, message: string, cause?: unknown) {
    super('unavailable', message, { facts: { subject }, cause });
  }
}

export class Requester {
  readonly #connection: NatsConnection;
  readonly #isConnected: () => boolean;
  readonly #traced: Traced;

  constructor(connection: NatsConnection, isConnected: () => boolean, traced: Traced) {
    this.#connection = connection;
    this.#isConnected = isConnected;
    this.#traced = traced;
  }

  async request<C extends Contract>(
    contract: C,
    body: RequestOf<C>,
    options: RequestOptions,
  ): Promise<ReplyOf<C>> {
    const { speaker } = contract;
    const token = speaker === undefined ? options.instance : speakerOf(speaker, body);
    const outgoing: Outgoing = {
      contract,
      subject: contract.subject(token),
      data: encodeJson(body),
      deadline: deadlineOf(contract, options),
      requestId: options.requestId ?? options.context?.requestId ?? nuid.next(),
      alsoFor: options.alsoFor ?? options.context?.alsoFor,
      traceparent: undefined,
    };
    checkBodySize(outgoing.data.length, this.#bodyLimit());
    const retry = options.retryUnavailable === true;
    return (await this.#asPart(outgoing, () => this.#attempt(outgoing, retry))) as ReplyOf<C>;
  }

  /** Where the request is followed, its way there and back, tries again included, is a part of what it is made for. */
  #asPart(outgoing: Outgoing, ask: () => Promise<unknown>): Promise<unknown> {
    const { contract, requestId, alsoFor = [] } = outgoing;
    const name = `${contract.service}.${contract.verb}`;
    const requestIds = [requestId, ...alsoFor];
    const part = this.#traced.by?.begin({ kind: 'asked', name, requestIds });
    if (part === undefined) return ask();
    outgoing.traceparent = part.traceparent;
    return until(part, ask);
  }

  #bodyLimit(): number {
    return (this.#connection.info?.max_payload ?? maxBodyBytes + headerRoomBytes) - headerRoomBytes;
  }

  async #attempt(outgoing: Outgoing, retry: boolean): Promise<unknown> {
    for (let waitMs: number = retryWaitMs.from; ; waitMs = Math.min(waitMs * 2, retryWaitMs.to)) {
      try {
        return await this.#once(outgoing);
      } catch (thrown) {
        const pauseMs = jitter({ from: waitMs / 2, to: waitMs });
        const mayRetry = retry && thrown instanceof NobodyThere;
        if (!mayRetry || outgoing.deadline.remainingMs() <= pauseMs) throw thrown;
        await pause(pauseMs);
        // A busy machine sleeps longer than it was told to: what was found out still holds.
        if (outgoing.deadline.remainingMs() < 1) throw thrown;
      }
    }
  }

  async #once(outgoing: Outgoing): Promise<unknown> {
    const { subject, deadline, requestId, alsoFor, traceparent } = outgoing;
    const remainingMs = deadline.remainingMs();
    if (remainingMs < 1) {
      throw new SkeinError('deadline_exceeded', 'The deadline passed before the request was sent', {
        facts: { subject, requestId },
      });
    }
    if (!this.#isConnected()) throw new NobodyThere(subject, 'NATS is not connected');
    let reply: Msg;
    try {
      reply = await this.#connection.request(subject, outgoing.data, {
        timeout: remainingMs,
        headers: requestHeaders({ requestId, remainingMs, alsoFor, traceparent }),
      });
    } catch (cause) {
      throw failureOf(outgoing, cause);
    }
    const refusal = errorOf(reply.data, reply.headers);
    if (refusal !== undefined) throw refusal;
    return decodeReply(reply.data, subject);
  }
}

function deadlineOf(contract: Contract, options: RequestOptions): Deadline {
  const given = [options.deadline, options.context?.deadline].filter((each) => each !== undefined);
  if (options.timeoutMs !== undefined) given.push(Deadline.after(options.timeoutMs));
  else if (options.deadline === undefined) given.push(Deadline.after(contract.timeoutMs));
  return given.reduce((one, other) => Deadline.earlier(one, other));
}

function failureOf({ contract, subject, requestId }: Outgoing, cause: unknown): SkeinError {
  if (cause instanceof errors.RequestError && cause.isNoResponders()) {
    return new NobodyThere(subject, `Nobody serves '${contract.service}.${contract.verb}'`, cause);
  }
  const root = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  if (root instanceof errors.PermissionViolationError) {
    return new SkeinError('forbidden', `This user may not ask '${subject}'`, { cause });
  }
  if (
    root instanceof errors.ClosedConnectionError ||
    root instanceof errors.DrainingConnectionError
  ) {
    return new SkeinError('unavailable', 'The connection is closing', {
      facts: { subject },
      cause,
    });
  }
  const facts = { subject, requestId };
  return contract.idempotent
    ? new SkeinError('deadline_exceeded', 'The answer did not come in time', { facts, cause })
    : new SkeinError('unknown_outcome', 'It is not known whether the request took effect', {
        facts,
        cause,
      });
}

function decodeReply(data: Uint8Array, subject: string): unknown {
  try {
    return decodeJson(data);
  } catch (cause) {
    throw new SkeinError('internal', 'The answer is not JSON', { facts: { subject }, cause });
  }
}
