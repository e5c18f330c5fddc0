// Endpoints whose interface a container engine moves: left for it in the host's namespace, and never fought over.

import { describe, expect, it } from '@jest/globals';
import {
  desiredOf,
  guardedNetworks,
  plan,
  sandboxesToInspect,
  settled,
  sourceName,
  vethName,
  withoutSandbox,
  type Observed,
  type ObservedSandbox,
} from './index';
import type { OverlayEndpoint } from './desired';

const settings = { vtep: '192.0.2.1', vxlanPort: 4789, netnsPrefix: 'sk-' };
const key = '/run/docker/netns/0123456789ab';
const held: OverlayEndpoint = {
  ...{ id: 'a', networkId: 'web', host: 'h1', addresses: ['10.1.0.5/24'] },
  ...{ mac: '02:42:0a:01:00:05', engine: 'docker' },
};
const joined: OverlayEndpoint = { ...held, sandbox: { netns: key } };
const shareOf = (endpoint: OverlayEndpoint) => ({
  hosts: [{ id: 'h1', vtep: '192.0.2.1' }],
  networks: [
    {
      ...{ id: 'web', vni: 100, mtu: 1_450, onHostLoss: 'fence' as const },
      subnets: [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1' }],
    },
  ],
  endpoints: [endpoint],
});
const desired = (endpoint: OverlayEndpoint) => desiredOf(shareOf(endpoint), 'h1', settings);
const veth = vethName('a');
const nothing: Observed = { networks: new Map(), sandboxes: new Map() };
const index = { index: 7, peerIndex: 8 };

/** The network's devices are right; its veth is there with an index, or not. */
function kernel(hasVeth: boolean, sandbox: ObservedSandbox | 'missing' = 'missing'): Observed {
  const all = settled(desired(held), new Set(hasVeth ? [] : [veth]));
  const network = all.networks.get('sk-100')!;
  const veths = [...network.veths].map(([name, each]) => [name, { ...each, ...index }] as const);
  return {
    ...all,
    networks: new Map([['sk-100', { ...network, veths: new Map(veths) }]]),
    sandboxes: new Map([[key, sandbox]]),
  };
}
const inside = (fields: object = {}): ObservedSandbox => ({
  interfaces: [
    {
      ...{ name: 'eth1', index: 8, peerIndex: 7, mac: held.mac, mtu: 1_450, isUp: true },
      addresses: ['10.1.0.5/24'],
      ...fields,
    },
  ],
  routes: new Set(['10.1.0.0/24']),
});
const kinds = (endpoint: OverlayEndpoint, observed: Observed) =>
  plan(desired(endpoint), observed).map(({ kind, action }) => `${kind} ${action}`);

describe('an endpoint of an engine', () => {
  it('has its other end in the host’s namespace before the engine has told of a sandbox', () => {
    const put = plan(desired(held), nothing).find(({ kind }) => kind === 'veth');
    expect(put).toMatchObject({ veth, sandbox: null, interface: sourceName('a'), mtu: 1_450 });
    expect(sandboxesToInspect(desired(held), nothing)).toEqual(new Set());
    expect(kinds(held, kernel(true))).toEqual([]);
  });

  it('is not entered, missed or made anew while the engine works on its sandbox', () => {
    expect(kinds(joined, kernel(true))).toEqual([]);
    expect(kinds(joined, kernel(true, { interfaces: [], routes: new Set() }))).toEqual([]);
    expect(withoutSandbox(desired(joined), kernel(false))).toEqual([]);
    expect(kinds(joined, kernel(false))).toEqual([]);
  });

  it('is repaired inside once it is there', () => {
    expect(kinds(joined, kernel(true, inside()))).toEqual([]);
    expect(kinds(joined, kernel(true, inside({ mtu: 1_500 })))).toEqual(['interface put']);
    expect(kinds(joined, kernel(true, inside({ addresses: [] })))).toEqual(['interface put']);
  });

  it('is plugged in again where it is gone from a sandbox that is there, but not from a process', () => {
    const empty = { interfaces: [], routes: new Set<string>() };
    expect(kinds(joined, kernel(false, empty))).toEqual(['veth put', 'port put', 'fdb put']);
    const ofProcess = { ...held, sandbox: { netns: '/proc/12/ns/net' } };
    const observed = { ...kernel(false), sandboxes: new Map([['/proc/12/ns/net', empty]]) };
    expect(kinds(ofProcess, observed)).toEqual([]);
  });

  it('is let through a guard', () => {
    expect(guardedNetworks(shareOf(held), 'h1', 'sk-')[0]?.ports).toContain(veth);
  });
});
