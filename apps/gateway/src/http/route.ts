// What a route is: one entry of the table from which the gateway validates, authorizes, answers and documents. A handler
// translates between HTTP and a conversation with a service; it decides nothing.

import {
  SkeinError,
  type Contract,
  type EndpointSpec,
  type ErrorCode,
  type ReplyOf,
  type RequestOf,
  type Role,
} from '@skein/contracts';
import type { Store } from '@skein/store-client';
import type { ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Attached } from './attach-gatherer';
import type { TokenBook } from './token-book';
import type { Caller } from './tokens';

export type Method = 'GET' | 'POST' | 'DELETE';

export interface AskOptions {
  readonly timeoutMs?: number;
  /** Whom to ask, for a contract that each instance serves for itself. */
  readonly instance?: string;
}

export interface RouteContext {
  readonly requestId: string;
  readonly caller: Caller;
  readonly tokens: Pick<TokenBook, 'create' | 'list' | 'revoke'>;
  ask<C extends Contract>(
    contract: C,
    body: RequestOf<C>,
    options?: AskOptions,
  ): Promise<ReplyOf<C>>;
  /** Attaches an endpoint, on its way together with others that come at once. */
  readonly attach: (network: string, endpoint: EndpointSpec, waitMs: number) => Promise<Attached>;
  /** What `If-Match` asks for; whoever commits the change compares it. Absent: no such header, or `*`. */
  readonly precondition: { readonly ifRevisions?: number[] };
}

/** What a route that answers piece by piece gets besides. */
export interface StreamContext extends RouteContext {
  readonly response: ServerResponse;
  /** To be called before the first byte; what is thrown earlier is the answer. */
  readonly takeOver: () => void;
  readonly watch: Store['watch'];
  readonly lastEventId: string | undefined;
}

export interface RouteReply {
  readonly body: unknown;
  /** Path of what was made. */
  readonly location?: string;
  /** Revision of the one resource that the body shows; becomes the ETag. */
  readonly revision?: number;
  /** An earlier request with the same key made it. */
  readonly isReplayed?: boolean;
}

export interface RouteRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

export interface RouteShape<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly method: Method;
  /** As OpenAPI writes it: `/v1/networks/{network}`. */
  readonly path: string;
  readonly operation: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly role: Role;
  readonly params: P;
  readonly query: Q;
  readonly body?: B;
  readonly bodyExample?: z.input<B>;
  readonly success: {
    readonly status: 200 | 201;
    readonly description: string;
    readonly schema: z.ZodType;
    readonly example: unknown;
    /** Default `application/json`. */
    readonly mediaType?: string;
  };
  /**
   * True for what does no harm when it is repeated and must work while the store has no leader or no room: idempotency keys,
   * which the store keeps, are not looked at.
   */
  readonly isUnkeyed?: boolean;
  /** True where the idempotency key is committed together with what is made: then it needs no claim. */
  readonly commitsKey?: boolean;
  /** True where the body follows from its revision alone, without anything that lives: `If-None-Match` can then spare it. */
  readonly isStill?: boolean;
  /** Refusals that belong to this route; those that any route can answer are added by the document. */
  readonly errors: readonly ErrorCode[];
  readonly handle: (
    request: RouteRequest<z.output<P>, z.output<Q>, z.output<B>>,
    context: RouteContext,
  ) => Promise<RouteReply>;
  /** Answers by itself, piece by piece; `handle` is then not asked. Resolves when the answer has ended. */
  readonly stream?: (
    request: RouteRequest<z.output<P>, z.output<Q>, z.output<B>>,
    context: StreamContext,
  ) => Promise<void>;
}

/** Types forgotten: the table holds routes of every shape. */
export type Route = RouteShape<z.ZodType, z.ZodType, z.ZodType>;

export function defineRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  shape: RouteShape<P, Q, B>,
): Route {
  return shape as unknown as Route;
}

/** A service names the field of its own request; this puts the HTTP request's in its place. For `catch`. */
export function renameField(from: RegExp, to: string): (thrown: unknown) => never {
  return (thrown) => {
    if (!(thrown instanceof SkeinError) || thrown.field === undefined) throw thrown;
    const { code, message, facts, cause } = thrown;
    throw new SkeinError(code, message, { field: thrown.field.replace(from, to), facts, cause });
  };
}
