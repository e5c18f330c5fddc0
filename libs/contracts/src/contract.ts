// What a conversation is: a subject and the schemas of its request and reply. One file of this library a service.

import type { z } from 'zod';

/** Version prefix of every public subject. */
export const subjectPrefix = 'skein.v1';

export interface ContractShape<Request extends z.ZodType, Reply extends z.ZodType> {
  /** The service as NATS' services protocol lists it: `ipam`, `registry`, `store`, … */
  readonly service: string;
  /** Kebab-case imperative: `create-network`. */
  readonly verb: string;
  readonly description: string;
  readonly request: Request;
  readonly reply: Reply;
  /** True if sending it twice does no more than sending it once; a timeout is then retryable, else `unknown_outcome`. */
  readonly idempotent: boolean;
  /** True if each instance (host, replica, actor) has a subject of its own: `skein.v1.<service>.<instance>.<verb>`. */
  readonly perInstance?: boolean;
  /**
   * Field of the request that says who asks, where permissions are to keep one asker from speaking for another: it becomes a
   * token of the subject, `skein.v1.<service>.<speaker>.<verb>`, and a request that differs from it is refused.
   */
  readonly speaker?: string;
  /** Deadline of a request that names none, in milliseconds. */
  readonly timeoutMs?: number;
  /** Largest request that is taken, in bytes, where that is more than usual. NATS' own limit applies besides. */
  readonly maxBodyBytes?: number;
}

export interface Contract<
  Request extends z.ZodType = z.ZodType,
  Reply extends z.ZodType = z.ZodType,
> extends ContractShape<Request, Reply> {
  readonly timeoutMs: number;
  /** The subject; `token` (instance or speaker) is required exactly when the contract has one. */
  subject(token?: string): string;
  /** What its server subscribes to: the subject, or that of every speaker. */
  servedSubject(instance?: string): string;
}

export type RequestOf<C extends Contract> = z.input<C['request']>;
export type ParsedRequestOf<C extends Contract> = z.output<C['request']>;
export type ReplyOf<C extends Contract> = z.output<C['reply']>;

export const defaultTimeoutMs = 5_000;

export function defineContract<Request extends z.ZodType, Reply extends z.ZodType>(
  shape: ContractShape<Request, Reply>,
): Contract<Request, Reply> {
  const { service, verb, speaker, perInstance = false } = shape;
  if (speaker !== undefined && (perInstance || !hasField(shape.request, speaker))) {
    throw new Error(`${service}.${verb}: '${speaker}' can't be its speaker`);
  }
  const subject = (token?: string): string => {
    if ((token !== undefined) !== (perInstance || speaker !== undefined)) {
      throw new Error(`${service}.${verb}: instance given to the wrong kind of contract`);
    }
    const middle = token === undefined ? '' : `.${subjectToken(token)}`;
    return `${subjectPrefix}.${service}${middle}.${verb}`;
  };
  return Object.freeze({
    ...shape,
    timeoutMs: shape.timeoutMs ?? defaultTimeoutMs,
    subject,
    servedSubject: (instance?: string) =>
      speaker === undefined ? subject(instance) : `${subjectPrefix}.${service}.*.${verb}`,
  });
}

function hasField(schema: z.ZodType, field: string): boolean {
  return 'shape' in schema && Object.hasOwn(schema.shape as object, field);
}

interface EventShape<Body extends z.ZodType> {
  readonly noun: string;
  readonly verb: string;
  readonly body: Body;
  /** As a contract's: the field of the body that says who tells, and the last token of the subject. */
  readonly speaker?: string;
}

export interface EventContract<Body extends z.ZodType = z.ZodType> extends EventShape<Body> {
  /** What its hearers subscribe to. */
  readonly subject: string;
  /** Where this body is published. */
  subjectOf(body: z.input<Body>): string;
}

/** A fact, published on `skein.v1.event.<noun>.<verb>`; every body carries the store revision it became true at. */
export function defineEvent<Body extends z.ZodType>(shape: EventShape<Body>): EventContract<Body> {
  const { noun, verb, body: schema, speaker } = shape;
  if (speaker !== undefined && !hasField(schema, speaker)) {
    throw new Error(`event ${noun}.${verb}: '${speaker}' can't be its speaker`);
  }
  const subject = `${subjectPrefix}.event.${noun}.${verb}`;
  return Object.freeze({
    ...shape,
    subject: speaker === undefined ? subject : `${subject}.*`,
    subjectOf: (body: z.input<Body>) =>
      speaker === undefined ? subject : `${subject}.${speakerOf(speaker, body)}`,
  });
}

/** The token that a body stands for: what its field `speaker` says. */
export function speakerOf(speaker: string, body: unknown): string {
  return subjectToken(String((body as Readonly<Record<string, unknown>>)[speaker]));
}

/** An id as one token of a subject: NATS gives meaning to `.`, `*`, `>` and white space. */
export function subjectToken(id: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(id)) throw new Error(`'${id}' can't be a token of a subject`);
  return id;
}
