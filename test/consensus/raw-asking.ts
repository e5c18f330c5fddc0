// Asks on a subject and gathers every answer that comes, not only the first: two replicas may both hold themselves for the leader,
// and neither may say what is not so.

import { connect, type NatsConnection } from '@nats-io/transport-node';
import { wait } from './waiting';

export interface RawAnswer {
  readonly body: unknown;
  readonly askedAt: number;
  readonly answeredAt: number;
}

export class RawAsking {
  private constructor(private readonly connection: NatsConnection) {}

  static async connect(servers: string): Promise<RawAsking> {
    return new RawAsking(await connect({ servers }));
  }

  /** Everything that is answered within the time; refusals are left out. */
  async all(subject: string, body: unknown, ms: number): Promise<RawAnswer[]> {
    const reply = `_INBOX.${crypto.randomUUID()}`;
    const answers: RawAnswer[] = [];
    const askedAt = Date.now();
    const subscription = this.connection.subscribe(reply, {
      callback: (_, message) => {
        const isRefusal = (message.headers?.get('Nats-Service-Error-Code') ?? '') !== '';
        if (message.data.length === 0 || isRefusal) return;
        answers.push({ body: message.json(), askedAt, answeredAt: Date.now() });
      },
    });
    this.connection.publish(subject, JSON.stringify(body), { reply });
    await wait(ms);
    subscription.unsubscribe();
    return answers;
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}
