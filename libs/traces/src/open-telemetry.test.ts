// What becomes of the parts of requests, as a collector hears of them over HTTP.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Collector } from '../../../test/support/collector';
import { OpenTelemetry } from './open-telemetry';

let collector: Collector;
let faults: (string | undefined)[];

beforeEach(async () => {
  collector = await Collector.start();
  faults = [];
});
afterEach(() => collector.stop());

const open = (givenName?: string): OpenTelemetry =>
  new OpenTelemetry({
    serviceName: 'skein-test',
    givenName,
    version: '1.2.3',
    instance: 't1',
    url: `${collector.endpoint}/v1/traces`,
    onFault: (fault) => faults.push(fault),
  });

describe('a part', () => {
  it('belongs to the request that is named, wherever that is at the moment', async () => {
    const traces = open();
    const door = traces.begin({ kind: 'door', name: 'GET /', requestIds: ['r1'] });
    const within = traces.begin({ kind: 'within', name: 'work', requestIds: ['r1'] });
    const asked = traces.begin({ kind: 'asked', name: 'ipam.allocate', requestIds: ['r1'] });
    asked?.end({ code: 'pool_exhausted' });
    within?.end({ code: 'ok' });
    const after = traces.begin({ kind: 'asked', name: 'store.txn', requestIds: ['r1'] });
    after?.end({ code: 'ok' });
    door?.end({ code: 'ok' });
    expect(traces.begin({ kind: 'within', name: 'late', requestIds: ['r1'] })).toBeUndefined();
    await traces.close();
    const names = new Map(collector.spans.map((span) => [span.spanId, span.name]));
    const told = collector.spans.map(({ name, parentId, isError }) => [
      name,
      names.get(parentId),
      isError,
    ]);
    expect(told.toSorted()).toEqual([
      ['GET /', undefined, false],
      ['ipam.allocate', 'work', true],
      ['store.txn', 'GET /', false],
      ['work', 'GET /', false],
    ]);
  });

  it('of requests that nobody follows is none', () => {
    const traces = open();
    expect(traces.begin({ kind: 'asked', name: 'a.b', requestIds: ['r1'] })).toBeUndefined();
    expect(traces.begin({ kind: 'served', name: 'a.b', requestIds: ['r1'] })).toBeUndefined();
    const traceparent = 'no such thing';
    expect(
      traces.begin({ kind: 'served', name: 'a.b', requestIds: ['r1'], traceparent }),
    ).toBeUndefined();
    return traces.close();
  });

  it('of several requests stands in the trace of each, once, and each points to the others', async () => {
    const traces = open();
    const doors = ['r1', 'r2', 'r3'].map((id) =>
      traces.begin({ kind: 'door', name: id, requestIds: [id] }),
    );
    const requestIds = ['none', 'r1', 'r2', 'r3', 'r2'];
    const shared = traces.begin({ kind: 'asked', name: 'store.batch', requestIds });
    const lead = shared?.traceparent.split('-') ?? [];
    shared?.end({ code: 'ok' });
    for (const door of doors) door?.end({ code: 'ok' });
    await traces.close();
    const of = (name: string) => collector.spans.filter((span) => span.name === name);
    const [first, second, third] = ['r1', 'r2', 'r3'].map((name) => of(name)[0]);
    const asked = of('store.batch');
    expect(asked.map(({ traceId }) => traceId).toSorted()).toEqual(
      [first, second, third].map((span) => span?.traceId).toSorted(),
    );
    const own = asked.find(({ spanId }) => spanId === lead[2]);
    expect(own?.traceId).toBe(first?.traceId);
    expect(own?.links).toEqual([second?.spanId, third?.spanId]);
    for (const other of asked.filter((span) => span !== own)) {
      expect(other.links).toEqual([own?.spanId]);
    }
  });
});

describe('a service', () => {
  it('goes by its own name, version and replica, or by the name that it is given', async () => {
    for (const given of [undefined, 'my-edge']) {
      const traces = open(given);
      traces.begin({ kind: 'door', name: 'x', requestIds: ['r'] })?.end({ code: 'ok' });
      await traces.close();
    }
    expect(collector.spans.map(({ service, instance }) => [service, instance])).toEqual([
      ['skein-test', 't1'],
      ['my-edge', 't1'],
    ]);
  });

  it('says once that traces are lost, and ends nevertheless', async () => {
    collector.status = 400;
    const traces = open();
    traces.begin({ kind: 'door', name: 'x', requestIds: ['r'] })?.end({ code: 'ok' });
    await traces.close();
    expect(faults).toEqual([expect.stringMatching(/\S/)]);
  });
});
