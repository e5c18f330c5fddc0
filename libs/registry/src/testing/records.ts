// Records for tests: valid, with what a test cares about put in.

import type { EndpointRecord, HostRecord, NetworkRecord } from '@skein/contracts';

const cause = { request: 'request-1', at: 1_000 };

export function networkRecord(
  id: string,
  name: string,
  fields: Partial<NetworkRecord> = {},
): NetworkRecord {
  return {
    id,
    name,
    vni: 100,
    subnets: [{ cidr: '10.1.0.0/16', gateway: '10.1.0.1', reserved: {} }],
    attachable: true,
    internal: false,
    multicast: false,
    encrypted: false,
    onHostLoss: 'keep',
    labels: {},
    created: cause,
    ...fields,
  };
}

export function hostRecord(id: string, fields: Partial<HostRecord> = {}): HostRecord {
  return {
    id,
    name: `host-${id}`,
    vtep: '192.0.2.1',
    gossip: '192.0.2.1:7946',
    underlayMtu: 1_500,
    bootId: 'boot-1',
    epoch: 1,
    state: 'up',
    since: 1_000,
    labels: {},
    ...fields,
  };
}

export function endpointRecord(
  id: string,
  networkId: string,
  host: string,
  fields: Partial<EndpointRecord> = {},
): EndpointRecord {
  return {
    id,
    networkId,
    host,
    name: `ep-${id}`,
    aliases: [],
    addresses: ['10.1.0.2/16'],
    mac: '02:42:0a:01:00:02',
    labels: {},
    created: cause,
    ...fields,
  };
}

/** Lets everything that is ready run, without waiting for time to pass. */
export async function settled(rounds = 20): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
