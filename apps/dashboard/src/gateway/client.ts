// Asks the gateway, with the token. What it refuses becomes a `Problem` that says what people need to know; a gateway that can't
// be reached is one too.

import type { ErrorCode } from '@skein/contracts';

const timeoutMs = 10_000;

export class Problem extends Error {
  constructor(
    readonly code: ErrorCode | 'gateway_away',
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>;

export class GatewayClient {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  get<Reply>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Reply> {
    return this.#json('GET', path + searchOf(query), undefined, signal);
  }

  post<Reply>(path: string, body: unknown): Promise<Reply> {
    return this.#json('POST', path, body, undefined);
  }

  /** The answer as it comes, for streams. */
  async open(path: string, headers: Record<string, string>, signal: AbortSignal) {
    const response = await this.#fetch(path, { headers: this.#headers(headers), signal });
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  async #json<Reply>(
    method: string,
    path: string,
    body: unknown,
    signal: AbortSignal | undefined,
  ): Promise<Reply> {
    const limit = AbortSignal.timeout(timeoutMs);
    const response = await this.#fetch(path, {
      method,
      headers: this.#headers({
        accept: 'application/json',
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }),
      }),
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw await problemOf(response);
    return (await response.json()) as Reply;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(path, { cache: 'no-store', credentials: 'omit', ...init });
    } catch (thrown) {
      if (init.signal?.aborted === true && !isTimeout(init.signal)) throw thrown;
      throw new Problem('gateway_away', 'The gateway does not answer', 0);
    }
  }

  #headers(more: Record<string, string>): Record<string, string> {
    return { authorization: `Bearer ${this.#token}`, ...more };
  }
}

function isTimeout({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as { code?: ErrorCode; detail?: string };
  const detail = body.detail ?? `The gateway answers ${response.status}`;
  return new Problem(body.code ?? 'gateway_away', detail, response.status);
}

function searchOf(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`;
}
