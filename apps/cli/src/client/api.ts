// Speaks HTTP with the gateway: JSON in and out, problems as SkeinErrors. A POST carries an idempotency key, so that it can be
// repeated after a failure that leaves its fate open.

import { randomBytes } from 'node:crypto';
import { isErrorCode, SkeinError } from '@skein/contracts';
import type { GatewayAddress } from './address';

const defaultAttempts = 4;
const pauseMs = 300;
/** Longer than the gateway itself waits for anything. */
const timeoutMs = 60_000;

// The gateway's answers are shown, not computed with: their schemas are its own matter.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

export interface Query {
  readonly [name: string]: string | number | boolean | undefined;
}

export class Api {
  readonly address: GatewayAddress;
  readonly #attempts: number;

  /** `attempts`: how often a request is sent that may be sent again. */
  constructor(address: GatewayAddress, attempts: number = defaultAttempts) {
    this.address = address;
    this.#attempts = attempts;
  }

  get(path: string, query: Query = {}): Promise<Json> {
    return this.#repeat('GET', path + queryText(query), undefined);
  }

  /** Asked once: for those who want to know how things are just now. */
  ask(path: string, query: Query = {}, limitMs: number = timeoutMs): Promise<Json> {
    const headers = { 'x-request-id': newRequestId() };
    return this.#once('GET', path + queryText(query), undefined, headers, limitMs);
  }

  post(path: string, body: unknown, query: Query = {}): Promise<Json> {
    return this.#repeat('POST', path + queryText(query), body);
  }

  /** Not repeated by itself: a second DELETE would find nothing and say so. */
  delete(path: string, query: Query = {}): Promise<Json> {
    const headers = { 'x-request-id': newRequestId() };
    return this.#once('DELETE', path + queryText(query), undefined, headers);
  }

  /** Every page of a list, as one. */
  async list(path: string, noun: string, query: Query = {}): Promise<Json[]> {
    const items: Json[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.get(path, { ...query, limit: 1_000, cursor });
      items.push(...page[noun]);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return items;
  }

  /** An open answer, for streams. Throws as the others do. */
  async open(
    path: string,
    query: Query,
    signal: AbortSignal,
    accept: string,
    extra: Record<string, string> = {},
  ): Promise<Response> {
    const headers = { accept, 'x-request-id': newRequestId(), ...extra };
    return this.#send('GET', path + queryText(query), undefined, headers, signal);
  }

  async #repeat(method: string, path: string, body: unknown): Promise<Json> {
    const requestId = newRequestId();
    const headers = {
      'x-request-id': requestId,
      ...(method === 'POST' ? { 'idempotency-key': `${requestId}-${newRequestId()}` } : {}),
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(method, path, body, headers);
      } catch (thrown) {
        const error = SkeinError.from(thrown);
        if (attempt >= this.#attempts || !error.retryable || error.facts['refused'] === true)
          throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs * attempt));
      }
    }
  }

  async #once(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
    limitMs: number = timeoutMs,
  ): Promise<Json> {
    const signal = AbortSignal.timeout(limitMs);
    const response = await this.#send(method, path, body, headers, signal);
    const text = await response.text();
    return text === '' ? {} : JSON.parse(text);
  }

  async #send(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> {
    const { url, token } = this.address;
    let response: Response;
    try {
      response = await fetch(url + path, {
        method,
        signal,
        headers: {
          ...headers,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw unreachable(url, cause);
    }
    if (response.ok) return response;
    throw problemError(response.status, await response.text());
  }
}

function unreachable(url: string, cause: unknown): SkeinError {
  const inner = (cause as { cause?: { code?: string } }).cause?.code;
  // Nobody listens there: asking again a moment later won't help.
  const refused = inner === 'ECONNREFUSED' || inner === 'ENOTFOUND';
  return new SkeinError('unavailable', `The gateway at ${url} can't be reached`, {
    facts: { ...(refused ? { refused } : {}), ...(inner === undefined ? {} : { reason: inner }) },
    cause,
  });
}

export function problemError(status: number, text: string): SkeinError {
  try {
    const {
      code,
      detail,
      field,
      type: _type,
      title: _title,
      status: _status,
      ...facts
    } = JSON.parse(text) as Record<string, unknown>;
    if (typeof code === 'string' && isErrorCode(code)) {
      return new SkeinError(code, String(detail), {
        ...(typeof field === 'string' ? { field } : {}),
        facts,
      });
    }
  } catch {
    // Not a problem of ours: told below as what it is.
  }
  return new SkeinError('internal', `The gateway answered ${status} without saying why`);
}

export function queryText(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  return `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}

/** A path with its variable parts encoded: path`/v1/networks/${name}`. */
export function path(parts: TemplateStringsArray, ...names: readonly string[]): string {
  return parts.reduce(
    (text, part, index) => text + encodeURIComponent(names[index - 1] ?? '') + part,
  );
}

function newRequestId(): string {
  return `cli-${randomBytes(6).toString('hex')}`;
}
