import { afterAll, beforeAll, expect, it, describe } from '@jest/globals';
import { Svcm } from '@nats-io/services';
import { connect, type NatsConnection, type QueuedIterator } from '@nats-io/transport-node';
import { defineContract, SkeinError } from '@skein/contracts';
import { Messenger, type ServiceEndpoints } from '@skein/messaging';
import { z } from 'zod';
import { startNatsServer, type NatsServer } from '../support/nats-server';

const shape = { service: 'ledger', reply: z.object({}), idempotent: true } as const;
const enter = defineContract({
  ...shape,
  verb: 'enter',
  description: 'Enters an amount.',
  request: z.strictObject({ amount: z.int().min(0) }),
});
const holder = defineContract({
  ...shape,
  verb: 'holder',
  description: 'Of one account.',
  request: z.strictObject({}),
  perInstance: true,
});

let server: NatsServer;
let connection: NatsConnection;
let messenger: Messenger;
let endpoints: ServiceEndpoints;

beforeAll(async () => {
  server = await startNatsServer();
  connection = await connect({ servers: server.url });
  messenger = await Messenger.connect({ servers: [server.url], name: 'ledger' });
  endpoints = messenger.service({
    name: 'ledger',
    version: '1.2.3',
    description: 'Keeps accounts.',
    metadata: { replica: 'r1' },
    instanceId: 'ledger-1',
  });
});
afterAll(async () => {
  await messenger.drain();
  await connection.close();
  await server.stop();
});

async function all<T>(answers: Promise<QueuedIterator<T>>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of await answers) found.push(each);
  return found;
}

describe("NATS' services protocol, asked by its own client", () => {
  // The two packages bring different copies of the client's types.
  const client = () => new Svcm(connection as never).client({ maxWait: 300 } as never);

  it('lists the service', async () => {
    await messenger.flush();
    expect(await all(client().ping() as never)).toEqual([
      {
        type: 'io.nats.micro.v1.ping_response',
        name: 'ledger',
        id: 'ledger-1',
        version: '1.2.3',
        metadata: { replica: 'r1' },
      },
    ]);
    expect(await all(client().ping('ledger', 'ledger-1') as never)).toHaveLength(1);
  });

  it('lists endpoints with their schemas, as they come and go', async () => {
    const serving = endpoints.serve(enter, () => ({}));
    const instances = ['a', 'b'].map((instance) =>
      endpoints.serve(holder, () => ({}), { instance }),
    );
    await messenger.flush();
    interface Info {
      endpoints: {
        name: string;
        subject: string;
        queue_group: string;
        metadata: Record<string, string>;
      }[];
    }
    const info = async () =>
      (await all<Info>(client().info('ledger') as never))[0]?.endpoints ?? [];
    const [first, second] = await info();
    expect(first).toMatchObject({
      name: 'enter',
      subject: 'skein.v1.ledger.enter',
      queue_group: 'q',
    });
    expect(first?.metadata['description']).toBe('Enters an amount.');
    expect(JSON.parse(first?.metadata['schema.request'] ?? '')).toMatchObject({
      type: 'object',
      properties: { amount: { type: 'integer', minimum: 0 } },
      required: ['amount'],
      additionalProperties: false,
    });
    expect(JSON.parse(first?.metadata['schema.reply'] ?? '')).toMatchObject({ type: 'object' });
    expect(second?.subject).toBe('skein.v1.ledger.*.holder');
    await instances[0]?.stop();
    expect((await info())[1]?.subject).toBe('skein.v1.ledger.b.holder');
    await Promise.all([serving, ...instances].map((each) => each.stop()));
    expect(await info()).toEqual([]);
  });

  it('counts requests, errors and time spent, across leaving and coming back', async () => {
    const serve = () =>
      endpoints.serve(enter, async ({ amount }) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (amount === 0) throw new SkeinError('fenced', 'Nothing to enter');
        return {};
      });
    let serving = serve();
    await messenger.flush();
    const ask = (body: string) => connection.request('skein.v1.ledger.enter', body);
    for (const body of ['{"amount":1}', '{"amount":0}', 'x']) await ask(body);
    await serving.stop();
    serving = serve();
    await messenger.flush();
    await ask('{"amount":2}');
    const [stats] = await all<Record<string, unknown>>(client().stats('ledger') as never);
    expect(stats).toMatchObject({ id: 'ledger-1', type: 'io.nats.micro.v1.stats_response' });
    const [counts] = stats?.['endpoints'] as Record<string, number | string>[];
    expect(counts).toMatchObject({ name: 'enter', num_requests: 4, num_errors: 2 });
    expect(counts?.['last_error']).toMatch(/^malformed_json/);
    expect(counts?.['processing_time']).toBeGreaterThanOrEqual(3 * 4_000_000);
    expect(counts?.['average_processing_time']).toBe(
      Math.round(Number(counts?.['processing_time']) / 4),
    );
    await serving.stop();
  });

  it('is listed no more after it has stopped', async () => {
    const other = messenger.service({ name: 'brief', version: '1.0.0', description: 'Short.' });
    await messenger.flush();
    expect(await all(client().ping('brief') as never)).toHaveLength(1);
    await other.stop();
    await expect(all(client().ping('brief') as never)).rejects.toThrow('no responders');
  });
});
