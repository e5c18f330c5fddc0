// A connection that tries things and says what NATS made of each: denied, or let through. Works with any credential.

import {
  connect,
  errors,
  jwtAuthenticator,
  type Msg,
  type NatsConnection,
} from '@nats-io/transport-node';
import type { NatsCredentials } from '@skein/messaging';

export interface AttackerOptions {
  readonly servers: string;
  readonly credentials: NatsCredentials;
  readonly inboxPrefix: string;
}

const patienceMs = 3_000;

export class Attacker {
  /** `publish <subject>` and `subscription <subject>`, as the server said. */
  readonly denied = new Set<string>();
  /** What its subscriptions have brought. */
  readonly heard: Msg[] = [];

  private constructor(readonly connection: NatsConnection) {
    void this.#follow();
  }

  static async connect({ servers, credentials, inboxPrefix }: AttackerOptions): Promise<Attacker> {
    const authenticator = jwtAuthenticator(credentials.jwt, credentials.seed);
    const settings = { servers, authenticator, inboxPrefix, reconnect: false };
    return new Attacker(await connect(settings));
  }

  /** True if the server let the subscription through. */
  async mayHear(subject: string): Promise<boolean> {
    const subscription = this.connection.subscribe(subject, {
      callback: (fault, message) => {
        if (fault === null) this.heard.push(message);
      },
    });
    await this.connection.flush();
    const isDenied = await this.#settled(`subscription ${subject}`);
    if (!isDenied) return true;
    subscription.unsubscribe();
    return false;
  }

  /** True if the server let the message through. */
  async maySay(subject: string, body: unknown = {}): Promise<boolean> {
    this.connection.publish(subject, JSON.stringify(body));
    await this.connection.flush();
    return !(await this.#settled(`publish ${subject}`));
  }

  /** The answer, or the code of the refusal. */
  async ask(subject: string, body: unknown): Promise<Record<string, unknown>> {
    const reply = await this.connection.request(subject, JSON.stringify(body), {
      timeout: patienceMs,
    });
    return JSON.parse(reply.string()) as Record<string, unknown>;
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  /** The server's word arrives before its answer to the flush; the client hands it on a few turns later. */
  async #settled(what: string): Promise<boolean> {
    for (let turn = 0; turn < 20 && !this.denied.has(what); turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    return this.denied.has(what);
  }

  async #follow(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type !== 'error') continue;
      const { error } = status;
      if (error instanceof errors.PermissionViolationError) {
        this.denied.add(`${error.operation} ${error.subject}`);
      }
    }
  }
}
