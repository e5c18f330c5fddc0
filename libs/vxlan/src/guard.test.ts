// Guards of fenced networks in a plan: closed, and before any port.

import { describe, expect, it } from '@jest/globals';
import {
  desiredOf,
  guardedNetworks,
  plan,
  rankOf,
  repairsOf,
  settled,
  probePort,
  vethName,
  type Observed,
  type OverlayShare,
} from './index';

const settings = { vtep: '192.0.2.1', vxlanPort: 4789, netnsPrefix: 'sk-' };
const subnets = [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1' }];
const endpoint = (id: string, networkId: string) => ({
  id,
  networkId,
  host: 'h1',
  addresses: ['10.1.0.5/24'],
  mac: '02:42:0a:01:00:05',
  sandbox: { netns: `/run/netns/${id}` },
});
const share: OverlayShare = {
  hosts: [{ id: 'h1', vtep: '192.0.2.1' }],
  networks: [
    { id: 'web', vni: 100, mtu: 1450, subnets, onHostLoss: 'fence' },
    { id: 'free', vni: 101, mtu: 1450, subnets },
  ],
  endpoints: [endpoint('a', 'web'), endpoint('b', 'free')],
};
const desired = desiredOf(share, 'h1', settings);

describe('a fenced network', () => {
  it('gets its guard before anything that could speak', () => {
    const nothing: Observed = { networks: new Map(), sandboxes: new Map() };
    const guards = plan(desired, nothing).filter(({ kind }) => kind === 'guard');
    expect(guards).toMatchObject([{ netns: 'sk-100', follows: true }]);
    const rank = rankOf({ kind: 'guard', action: 'put' });
    for (const kind of ['bridge', 'vxlan', 'veth', 'port', 'fdb'] as const) {
      expect(rank).toBeLessThan(rankOf({ kind, action: 'put' }));
    }
  });

  it('needs nothing while its guard is there', () => {
    expect(plan(desired, settled(desired))).toEqual([]);
  });

  it('gets a guard that was taken away back, and that counts as a repair', () => {
    const observed = settled(desired);
    const web = { ...observed.networks.get('sk-100')!, hasGuard: false };
    const networks = new Map([...observed.networks, ['sk-100', web] as const]);
    const changes = plan(desired, { ...observed, networks });
    expect(changes).toMatchObject([{ kind: 'guard', netns: 'sk-100' }]);
    expect(repairsOf(changes, new Set())).toMatchObject([{ kind: 'guard', networkId: 'web' }]);
  });

  it('lets its device and the ports of its own endpoints be heard', () => {
    expect(guardedNetworks(share, 'h1', 'sk-')).toEqual([
      { netns: 'sk-100', ports: ['vxlan0', probePort, vethName('a')] },
    ]);
    expect(guardedNetworks(share, 'h2', 'sk-')[0]?.ports).toEqual(['vxlan0', probePort]);
  });
});
