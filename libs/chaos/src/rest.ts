// The gateway as a client of the run sees it: one request, one answer, and no rejection until the run is called off. What was not
// answered is an answer of status 0.

export interface Answer {
  readonly status: number;
  /** The problem's code; `timeout` where nothing came; empty on success. */
  readonly code: string;
  // Bodies of many kinds; each caller says what it expects.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export interface Asked {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly key?: string;
  readonly timeoutMs?: number;
}

/** Whether asking again could change the answer. */
export const isFinal = ({ status }: Answer): boolean =>
  status > 0 && status < 500 && status !== 429;

export class Rest {
  constructor(
    private readonly url: string,
    private readonly token: string,
    /** Ends everything that is asked. */
    private readonly signal: AbortSignal = new AbortController().signal,
  ) {}

  async ask({ method, path, body, key, timeoutMs = 8_000 }: Asked): Promise<Answer> {
    try {
      const response = await fetch(`${this.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([this.signal, AbortSignal.timeout(timeoutMs)]),
      });
      const text = await response.text();
      const parsed = text === '' ? null : (JSON.parse(text) as { code?: string });
      const code = response.ok ? '' : (parsed?.code ?? `http_${response.status}`);
      return { status: response.status, code, body: parsed };
    } catch {
      this.signal.throwIfAborted();
      return { status: 0, code: 'timeout', body: null };
    }
  }

  /** The body of a successful GET; throws otherwise. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  async get(path: string, timeoutMs?: number): Promise<any> {
    const answer = await this.ask({ method: 'GET', path, ...(timeoutMs ? { timeoutMs } : {}) });
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.code}`);
    return answer.body;
  }
}
