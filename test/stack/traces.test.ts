// Requests followed through a real cluster, as a collector outside of it hears of them.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Collector, type ReceivedSpan } from '../support/collector';
import { Stack } from '../support/stack';

const endpoints = '/v1/networks/web/endpoints';

let collector: Collector;
let stack: Stack;

beforeAll(async () => {
  collector = await Collector.start();
  stack = await Stack.start({
    hosts: 2,
    tracing: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: '100' },
  });
  expect((await stack.call('POST', '/v1/networks', { name: 'web' })).status).toBe(201);
  // So that h1 takes part, and a further attach concerns it.
  expect((await stack.call('POST', endpoints, { host: 'h1', name: 'first' })).status).toBe(201);
}, 60_000);

afterAll(async () => {
  await stack?.stop();
  await collector?.stop();
}, 30_000);

async function attach(name: string, headers: Record<string, string> = {}): Promise<void> {
  const given = { 'x-request-id': name, ...headers };
  const { status, body } = await stack.call('POST', endpoints, { host: 'h2', name }, given);
  expect([status, body.behind]).toEqual([201, []]);
}

/** Of this request's trace, once all services have sent theirs. */
async function traceOf(requestId: string, isWhole: (spans: readonly ReceivedSpan[]) => boolean) {
  for (let patience = 200; patience > 0; patience -= 1) {
    if (isWhole(collector.traceOf(requestId))) break;
    await delay(50);
  }
  return collector.traceOf(requestId);
}

/** Each span as the names from the root to it; one whose parent is missing stands alone. */
function ways(spans: readonly ReceivedSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const wayOf = ({ service, name, parentId }: ReceivedSpan): string => {
    const own = `${service.replace('skein-', '')}:${name}`;
    const parent = byId.get(parentId);
    return parent === undefined ? own : `${wayOf(parent)} > ${own}`;
  };
  return spans.map(wayOf).sort();
}

const has = (service: string, name: string) => (spans: readonly ReceivedSpan[]) =>
  spans.some((span) => span.service === service && span.name === name);
const root = `POST ${endpoints.replace('web', '{network}')}`;
/** What has a parent may come before it: each service sends by itself. */
const isOneTree = (spans: readonly ReceivedSpan[]): boolean => {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentId }) => !ids.has(parentId)).length === 1;
};
/** The door's span ends when its answer has left, after all others but those of hosts that nobody waits for. */
const isWhole = (spans: readonly ReceivedSpan[]): boolean =>
  has('skein-gateway', root)(spans) &&
  isOneTree(spans) &&
  spans.filter((span) => span.service === 'skein-host-agent').length >= 2;

describe('an attach', () => {
  it('is one trace, from the door over addresses and the store to the kernels of both hosts', async () => {
    await attach('alone');
    const spans = await traceOf('alone', isWhole);
    const seen = ways(spans);
    const door = `gateway:${root}`;
    const served = `${door} > gateway:registry.create-endpoints > registry:registry.create-endpoints`;
    expect(seen).toContain(served);
    for (const step of ['reserve', 'commit', 'push']) {
      expect(seen).toContain(`${served} > registry:${step}`);
    }
    const reserved = `${served} > registry:reserve > registry:ipam.allocate > ipam:ipam.allocate`;
    expect(seen).toContain(`${reserved} > ipam:store.txn > consensus:store.txn`);
    expect(seen).toContain(
      `${served} > registry:commit > registry:store.txn > consensus:store.txn`,
    );
    // One root, and everything else below it.
    expect(seen.filter((way) => !way.startsWith(door))).toEqual([]);
    const programs = spans.filter(({ service }) => service === 'skein-host-agent');
    expect(programs.map(({ name }) => name)).toEqual(['host-agent.program', 'host-agent.program']);
    expect(programs.map(({ instance }) => instance).sort()).toEqual(['h1', 'h2']);
    expect(spans.every(({ startNs, endNs }) => startNs > 0n && endNs >= startNs)).toBe(true);
    const [first] = spans.filter(({ name }) => name === root);
    expect(first?.attributes).toMatchObject({
      'http.response.status_code': 201,
      'skein.request_id': 'alone',
    });
  }, 30_000);

  it('goes on with the trace of its caller, and is told to nobody if that says so', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const parent = '00f067aa0ba902b7';
    await attach('unsampled', { traceparent: `00-${'a'.repeat(32)}-${parent}-00` });
    await attach('continued', { traceparent: `00-${traceId}-${parent}-01` });
    const spans = await traceOf('continued', isWhole);
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    expect(spans.find(({ name }) => name === root)?.parentId).toBe(parent);
    expect(collector.traceOf('unsampled')).toEqual([]);
  }, 30_000);

  it('that is refused says by whom and why', async () => {
    const asked = { host: 'nowhere', name: 'lost' };
    await stack.call('POST', endpoints, asked, { 'x-request-id': 'refused' });
    const spans = await traceOf('refused', has('skein-gateway', root));
    const refused = spans.filter(({ attributes }) => attributes['error.type'] === 'host_not_found');
    expect(refused.map(({ service, kind, isError }) => [service, kind, isError])).toEqual(
      expect.arrayContaining([
        ['skein-gateway', 3, true],
        ['skein-registry', 2, false],
      ]),
    );
  }, 30_000);
});

it('attaches that travel together each have a trace, and those that lead are pointed to', async () => {
  const names = Array.from({ length: 12 }, (_, at) => `together-${at}`);
  await Promise.all(names.map((name) => attach(name)));
  const roots = new Set<string>();
  for (const name of names) {
    const spans = await traceOf(name, has('skein-gateway', root));
    roots.add(spans.find((span) => span.name === root)?.traceId ?? 'none');
    const asked = spans.filter((span) => /^registry\.create-endpoints/.test(span.name));
    expect(asked.length).toBeGreaterThan(0);
    const isLed = has('skein-registry', asked[0]?.name ?? '')(spans);
    const leads = asked.flatMap(({ links }) => links);
    const known = new Set(collector.spans.map(({ spanId }) => spanId));
    expect({ name, isLed, isPointing: leads.some((id) => known.has(id)) }).not.toEqual({
      name,
      isLed: false,
      isPointing: false,
    });
  }
  expect(roots.size).toBe(names.length);
}, 30_000);

it('what nobody asked for, such as heartbeats, is no trace', () => {
  const doors = /^(GET|POST|DELETE|PUT|PATCH) /;
  const starts = collector.spans.filter(({ parentId }) => parentId === '');
  expect(starts.filter(({ name }) => !doors.test(name))).toEqual([]);
});
