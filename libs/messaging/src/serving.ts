// The answering side of one subject: decodes, validates, runs the handler within bounds, encodes the answer or the error.
// A stack never leaves the process: what is not a SkeinError is logged here and answered as `internal`.

import { nuid, type Msg, type NatsConnection } from '@nats-io/transport-node';
import {
  SkeinError,
  speakerOf,
  type Contract,
  type ParsedRequestOf,
  type ReplyOf,
} from '@skein/contracts';
import { Deadline } from './deadline';
import type { EndpointStats } from './endpoint-stats';
import type { Logger } from './logger';
import type { Observed } from './observer';
import type { RequestContext } from './request-context';
import { outcomeOf, traceparentHeader, type Part, type Traced } from './tracing';
import { subscribeGuarded, type Subscription } from './subscription';
import { parseBody } from './validation';
import {
  checkBodySize,
  decodeJson,
  encodeJson,
  errorReply,
  headerRoomBytes,
  maxBodyBytes,
  alsoForHeader,
  requestIdHeader,
  timeoutHeader,
} from './wire';

export type Handler<C extends Contract> = (
  request: ParsedRequestOf<C>,
  context: RequestContext,
) => Promise<ReplyOf<C>> | ReplyOf<C>;

export interface Serving {
  /** Requests that have arrived and are not answered. */
  readonly pending: number;
  /** Takes no more requests, and resolves when those that had arrived are answered. */
  stop(): Promise<void>;
}

/** Requests of one subject that may run at once. */
export const defaultMaxPending = 1_024;
const maxRequestIdLength = 128;

export interface ServedSubjectOptions<C extends Contract> {
  readonly connection: NatsConnection;
  readonly logger: Logger;
  readonly contract: C;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly maxPending: number;
  readonly checkReplies: boolean;
  readonly stats: EndpointStats;
  readonly observed: Observed;
  readonly traced: Traced;
  readonly handler: Handler<C>;
}

export class ServedSubject<C extends Contract> implements Serving {
  readonly #options: ServedSubjectOptions<C>;
  readonly #subscription: Subscription;
  #pending = 0;
  #idle: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ServedSubjectOptions<C>) {
    this.#options = options;
    this.#subscription = subscribeGuarded(
      options.connection,
      options.subject,
      (message) => void this.#serve(message),
      { queue: options.queue, logger: options.logger },
    );
  }

  get pending(): number {
    return this.#pending;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  async #drain(): Promise<void> {
    await this.#subscription.drain();
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  async #serve(message: Msg): Promise<void> {
    const startedAt = performance.now();
    const requestId = requestIdOf(message);
    const part = this.#follow(message, requestId);
    this.#pending += 1;
    try {
      const answer = this.#answer(message, requestId);
      const reply = answer instanceof Promise ? await answer : answer;
      const data = this.#encode(reply);
      this.#respond(message, data);
      this.#told(message, requestId, performance.now() - startedAt);
      part?.end({ code: 'ok' });
    } catch (thrown) {
      const error = this.#expected(thrown, requestId);
      const { data, headers } = errorReply(error, requestId);
      this.#respond(message, data, headers);
      this.#told(message, requestId, performance.now() - startedAt, error);
      part?.end(outcomeOf(error));
    } finally {
      this.#pending -= 1;
      if (this.#pending === 0) this.#idle?.();
    }
  }

  #answer(message: Msg, requestId: string): Promise<ReplyOf<C>> | ReplyOf<C> {
    const { contract, maxPending, handler } = this.#options;
    if (this.#pending > maxPending) {
      throw new SkeinError('overloaded', 'Too many requests are waiting', {
        facts: { pending: maxPending },
      });
    }
    const timeoutMs = timeoutOf(message) ?? contract.timeoutMs;
    if (timeoutMs <= 0) throw new SkeinError('deadline_exceeded', 'The deadline had passed');
    checkBodySize(message.data.length, contract.maxBodyBytes ?? maxBodyBytes);
    const body = decodeJson(message.data);
    const request = parseBody(contract.request, body, 'The request') as ParsedRequestOf<C>;
    checkSpeaker(contract, request, message.subject);
    const deadline = Deadline.after(timeoutMs);
    const { subject } = message;
    const tracing = this.#options.traced.by;
    const context = { requestId, ...alsoForOf(message), deadline, subject, tracing };
    return handler(request, context);
  }

  /** Only what says of which trace it is a part: beats and watches, which come all the time, are nobody's. */
  #follow(message: Msg, requestId: string): Part | undefined {
    const { contract, traced } = this.#options;
    const traceparent = message.headers?.get(traceparentHeader);
    if (traced.by === undefined || traceparent === undefined || traceparent === '') {
      return undefined;
    }
    const { alsoFor = [] } = alsoForOf(message);
    const name = `${contract.service}.${contract.verb}`;
    const requestIds = [requestId, ...alsoFor];
    return traced.by.begin({ kind: 'served', name, requestIds, traceparent });
  }

  /** Each answer stands in the log under the id of the request that it was given to. */
  #told(message: Msg, requestId: string, elapsedMs: number, error?: SkeinError): void {
    const { subject } = message;
    const { stats, logger, observed, contract } = this.#options;
    stats.count(elapsedMs, error && `${error.code}: ${error.message}`);
    const ms = Math.round(elapsedMs * 10) / 10;
    const code = error === undefined ? {} : { code: error.code };
    const facts = { requestId, ...alsoForOf(message), subject, ms, ...code };
    logger.debug(facts, 'answered');
    observed.by?.answered(`${contract.service}.${contract.verb}`, elapsedMs, error?.code ?? 'ok');
  }

  #encode(reply: ReplyOf<C>): Uint8Array {
    const { contract, checkReplies, connection } = this.#options;
    if (checkReplies) checkReply(contract, reply);
    const data = encodeJson(reply);
    checkBodySize(data.length, (connection.info?.max_payload ?? maxBodyBytes) - headerRoomBytes);
    return data;
  }

  #expected(thrown: unknown, requestId: string): SkeinError {
    if (thrown instanceof SkeinError && thrown.code !== 'internal') return thrown;
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    this.#options.logger.error(
      { subject: this.#options.subject, requestId, stack },
      'handler failed',
    );
    return new SkeinError('internal', 'Something went wrong inside', { facts: { requestId } });
  }

  #respond(
    message: Msg,
    data: Uint8Array,
    headers?: ReturnType<typeof errorReply>['headers'],
  ): void {
    if (this.#options.connection.isClosed()) return;
    try {
      message.respond(data, headers === undefined ? undefined : { headers });
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      this.#options.logger.error(
        { subject: message.subject, error },
        'the answer could not be sent',
      );
    }
  }
}

/** A caller's own id if it is one that can stand in a log and a header, else a new one. */
function requestIdOf(message: Msg): string {
  const given = message.headers?.get(requestIdHeader) ?? '';
  const usable = given.length <= maxRequestIdLength && /^[\x21-\x7e]+$/.test(given);
  return usable ? given : nuid.next();
}

function alsoForOf(message: Msg): { alsoFor?: readonly string[] } {
  const given = message.headers?.get(alsoForHeader) ?? '';
  return /^[\x20-\x7e]+$/.test(given) ? { alsoFor: given.split(' ') } : {};
}

function timeoutOf(message: Msg): number | undefined {
  const given = message.headers?.get(timeoutHeader) ?? '';
  if (given === '') return undefined;
  const ms = Number(given);
  return Number.isFinite(ms) ? ms : undefined;
}

/** Permissions let nobody use another's token; this lets nobody use its own token and another's name. */
function checkSpeaker(contract: Contract, request: unknown, subject: string): void {
  const { speaker } = contract;
  if (speaker === undefined) return;
  const named = speakerOf(speaker, request);
  if (contract.subject(named) === subject) return;
  throw new SkeinError('host_mismatch', `The request speaks for '${named}' on '${subject}'`, {
    field: speaker,
    facts: { subject },
  });
}

function checkReply(contract: Contract, reply: unknown): void {
  const parsed = contract.reply.safeParse(reply);
  if (parsed.success) return;
  throw new Error(
    `${contract.service}.${contract.verb} answered against its schema: ${parsed.error.message}`,
  );
}
