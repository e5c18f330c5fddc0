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
  /** The subject; `instance` is required exactly when the contract is per instance. */
  subject(instance?: string): string;
}

export type RequestOf<C extends Contract> = z.input<C['request']>;
export type ParsedRequestOf<C extends Contract> = z.output<C['request']>;
export type ReplyOf<C extends Contract> = z.output<C['reply']>;

export const defaultTimeoutMs = 5_000;

export function defineContract<Request extends z.ZodType, Reply extends z.ZodType>(
  shape: ContractShape<Request, Reply>,
): Contract<Request, Reply> {
  return Object.freeze({
    ...shape,
    timeoutMs: shape.timeoutMs ?? defaultTimeoutMs,
    subject(instance?: string): string {
      if ((instance !== undefined) !== (shape.perInstance === true)) {
        throw new Error(
          `${shape.service}.${shape.verb}: instance given to the wrong kind of contract`,
        );
      }
      const middle = instance === undefined ? '' : `.${subjectToken(instance)}`;
      return `${subjectPrefix}.${shape.service}${middle}.${shape.verb}`;
    },
  });
}

export interface EventContract<Body extends z.ZodType = z.ZodType> {
  readonly noun: string;
  readonly verb: string;
  readonly body: Body;
  readonly subject: string;
}

/** A fact, published on `skein.v1.event.<noun>.<verb>`; every body carries the store revision it became true at. */
export function defineEvent<Body extends z.ZodType>(shape: {
  noun: string;
  verb: string;
  body: Body;
}): EventContract<Body> {
  return Object.freeze({ ...shape, subject: `${subjectPrefix}.event.${shape.noun}.${shape.verb}` });
}

/** An id as one token of a subject: NATS gives meaning to `.`, `*`, `>` and white space. */
export function subjectToken(id: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(id)) throw new Error(`'${id}' can't be a token of a subject`);
  return id;
}
