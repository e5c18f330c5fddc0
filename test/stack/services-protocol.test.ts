import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Svcm, type ServiceIdentity } from '@nats-io/services';
import { Stack } from '../support/stack';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
}, 60_000);

afterAll(async () => {
  await stack?.stop();
}, 30_000);

async function collect<T>(answers: Promise<AsyncIterable<T>>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of await answers) all.push(one);
  return all;
}

const expected = { consensus: 3, ipam: 1, registry: 1, gateway: 1, 'host-agent': 3 };

// The client library is built against its own copy of the core's types.
const client = () =>
  new Svcm(stack.nats as never).client({ strategy: 'timer', maxWait: 1_000 } as never);

describe('the NATS services protocol', () => {
  it('every service answers PING', async () => {
    const found = await collect<ServiceIdentity>(client().ping());
    const counts: Record<string, number> = {};
    for (const { name } of found) counts[name] = (counts[name] ?? 0) + 1;
    expect(counts).toMatchObject(expected);
  });

  it('every service answers INFO with its endpoints and their schemas', async () => {
    const infos = await collect(client().info());
    for (const name of ['ipam', 'registry', 'host-agent', 'consensus']) {
      const endpoints = infos
        .filter((info) => info.name === name)
        .flatMap((info) => info.endpoints ?? []);
      expect(endpoints.length).toBeGreaterThan(0);
      for (const endpoint of endpoints) {
        const schema = JSON.parse(endpoint.metadata?.['schema.request'] ?? 'null') as {
          type?: string;
        } | null;
        expect([endpoint.subject, schema]).toEqual([endpoint.subject, expect.anything()]);
      }
    }
  });

  it('STATS count what was asked', async () => {
    const requestsOf = async () => {
      const stats = await collect(client().stats('ipam'));
      const usage = stats
        .flatMap((one) => one.endpoints ?? [])
        .find((one) => one.subject === 'skein.v1.ipam.usage');
      return { requests: usage?.num_requests ?? -1, errors: usage?.num_errors ?? -1 };
    };
    const before = await requestsOf();
    await stack.nats.request('skein.v1.ipam.usage', '{"network":"nope"}', { timeout: 3_000 });
    const after = await requestsOf();
    expect(after).toEqual({ requests: before.requests + 1, errors: before.errors + 1 });
  });
});
