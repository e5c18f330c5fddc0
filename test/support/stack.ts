// A whole cluster for a test file: started once, reached through its gateway and through NATS.

import { readFileSync } from 'node:fs';
import { LocalCluster, type StartOptions } from '@skein/local-cluster';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { home } from './skein-command';

export interface Answer {
  readonly status: number;
  // Bodies of many kinds; each test says what it expects.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
  readonly headers: Headers;
}

export class Stack {
  private constructor(
    readonly cluster: LocalCluster,
    readonly nats: NatsConnection,
  ) {}

  static async start(options: Partial<StartOptions> = {}): Promise<Stack> {
    const path = process.env['PATH'] ?? '';
    const cluster = await LocalCluster.startPassing({ home, path, ...options });
    const { natsUrl: servers, natsCreds } = cluster.record;
    const authenticator = credsAuthenticator(readFileSync(natsCreds));
    try {
      const nats = await connect({ servers, authenticator });
      return new Stack(cluster, nats);
    } catch (thrown) {
      // Nobody else would end it, and the next file's could not start.
      await cluster.stop();
      throw thrown;
    }
  }

  async stop(): Promise<void> {
    await this.nats.close();
    await this.cluster.stop();
  }

  async raw(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${this.cluster.url}${path}`, { method, ...init });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    const body: unknown = isJson && text !== '' ? JSON.parse(text) : text;
    return { status: response.status, body, headers: response.headers };
  }

  call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.raw(method, path, {
      headers: {
        authorization: `Bearer ${this.cluster.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}
