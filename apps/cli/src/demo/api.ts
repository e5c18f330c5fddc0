// The gateway as the demo's steps call it: plain HTTP, answers as they are, errors by their code.

export interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
}

export interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly [fact: string]: unknown;
}

export interface NetworkAnswer {
  readonly id: string;
  readonly name: string;
  readonly vni: number;
  readonly subnets: { cidr: string; gateway: string }[];
}
export interface EndpointAnswer {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly addresses: string[];
  readonly mac: string;
  readonly revision: number;
  readonly behind: string[];
  readonly faults?: { code: string; message: string }[];
}
export interface ClusterAnswer {
  readonly leaderId: string | null;
  readonly term: number;
  readonly revision: number;
  readonly members: { id: string; role: string; healthy: boolean }[];
}
export interface HostAnswer {
  readonly id: string;
  readonly state: 'up' | 'down';
  readonly repairs: number;
  readonly reason?: string;
}

export class Api {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async call<Body>(method: string, path: string, body?: unknown): Promise<Answer<Body>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as Body };
  }

  /** The body of an answer that must be a success. */
  async expect<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await this.call<Body>(method, path, body);
    if (answer.status >= 300) {
      const problem = answer.body as unknown as Problem | null;
      throw new Error(
        `${method} ${path} answered ${answer.status} ${problem?.code}: ${problem?.detail}`,
      );
    }
    return answer.body;
  }
}
