// What a kernel may hold that is no endpoint's: the probes of the hosts that take part, and nothing else.

import { describe, expect, it } from '@jest/globals';
import type { EndpointRecord } from '@skein/contracts';
import { probeOf } from '@skein/vxlan';
import type { AuditedNetwork } from './audit-state';
import { kernelFindings } from './beliefs';

const endpointOn = (host: string, last: number): EndpointRecord => ({
  id: `e-${host}`,
  networkId: 'n1',
  host,
  name: `on-${host}`,
  aliases: [],
  addresses: [`10.1.0.${last}/24`],
  mac: `02:42:0a:01:00:0${last}`,
  labels: {},
  created: { request: 'r', at: 1 },
});

const network: AuditedNetwork = {
  networkId: 'n1',
  record: undefined,
  addresses: new Map(),
  names: new Map(),
  macs: new Map(),
  endpoints: new Map(
    [endpointOn('h1', 2), endpointOn('h2', 3)].map((record) => [
      record.id,
      { key: record.id, modRevision: 5, record },
    ]),
  ),
} as unknown as AuditedNetwork;

const found = (neighbors: readonly (readonly [string, string])[]) =>
  kernelFindings(network, {
    host: 'h1',
    programmed: 9,
    isWhole: true,
    neighbors: new Map([['10.1.0.3', '02:42:0a:01:00:03'], ...neighbors]),
    fdb: new Map(),
  }).map(({ kind, subject }) => `${kind} ${subject}`);

const probeRow = (host: string) => [probeOf(host).address, probeOf(host).mac] as const;

describe("a kernel's rows against the store", () => {
  it('may hold the way to the probe of a host that takes part', () => {
    expect(found([])).toEqual([]);
    expect(found([probeRow('h2')])).toEqual([]);
  });

  it('may not hold the way to what no endpoint and no such host has', () => {
    expect(found([probeRow('h3')])).toEqual([`plugged_without_endpoint ${probeOf('h3').address}`]);
    expect(found([['10.1.0.9', '02:42:0a:01:00:09']])).toEqual([
      'plugged_without_endpoint 10.1.0.9',
    ]);
  });
});
