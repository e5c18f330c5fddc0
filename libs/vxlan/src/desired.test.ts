import { describe, expect, it } from '@jest/globals';
import { desiredOf, plan, settled, type OverlayShare } from './index';
import { gatewayMac, isVethName, vethName } from './names';

const settings = { vtep: '2001:DB8::1', vxlanPort: 4789, netnsPrefix: 'sk-' };

describe('names', () => {
  it('fit an interface name and tell ids apart', () => {
    const names = Array.from({ length: 20_000 }, (_, index) => vethName(`endpoint-${index}`));
    expect(new Set(names).size).toBe(names.length);
    for (const name of names.slice(0, 100)) expect(isVethName(name)).toBe(true);
  });

  it('give a network one unicast, locally administered gateway mac', () => {
    expect(gatewayMac('web')).toMatch(/^0e(:[0-9a-f]{2}){5}$/);
    expect(gatewayMac('web')).toBe(gatewayMac('web'));
    expect(gatewayMac('web')).not.toBe(gatewayMac('wec'));
  });
});

describe('desiredOf', () => {
  const share: OverlayShare = {
    hosts: [
      { id: 'h1', vtep: '2001:db8::1' },
      { id: 'h2', vtep: '2001:DB8:0::2' },
    ],
    networks: [
      {
        id: 'n',
        vni: 7,
        mtu: 1430,
        subnets: [
          { cidr: '10.1.0.0/24', gateway: '10.1.0.1' },
          { cidr: '10.2.0.0/24', gateway: '10.2.0.1' },
          { cidr: 'fd00::/64', gateway: 'FD00::1' },
        ],
      },
    ],
    endpoints: [
      {
        id: 'a',
        networkId: 'n',
        host: 'h1',
        addresses: ['10.1.0.5/24', 'fd00:0::5/64'],
        mac: '02:00:00:00:00:05',
        sandbox: { netns: '/run/netns/a', interface: 'web0' },
      },
      {
        id: 'b',
        networkId: 'n',
        host: 'h2',
        addresses: ['10.2.0.6/24', 'FD00::6/64'],
        mac: '02:00:00:00:00:06',
      },
      {
        id: 'lost',
        networkId: 'n',
        host: 'unknown',
        addresses: ['10.2.0.7/24'],
        mac: '02:00:00:00:00:07',
      },
    ],
  };
  const desired = desiredOf(share, 'h1', settings);
  const network = desired.networks.get('sk-7');

  it('writes addresses as the kernel prints them', () => {
    expect([...desired.vteps]).toEqual([['h2', '2001:db8::2']]);
    expect(network?.fdb.get('02:00:00:00:00:06')).toEqual({ port: 'vxlan0', vtep: '2001:db8::2' });
    expect(network?.local).toBe('2001:db8::1');
    expect(network?.gateways).toEqual(['10.1.0.1/24', '10.2.0.1/24', 'fd00::1/64']);
    expect(network?.endpoints[0]?.addresses).toEqual(['10.1.0.5/24', 'fd00::5/64']);
  });

  it('has a neighbor for each address and a row for each endpoint of other, known hosts', () => {
    expect([...(network?.neighbors ?? [])]).toEqual([
      ['10.2.0.6', '02:00:00:00:00:06'],
      ['fd00::6', '02:00:00:00:00:06'],
    ]);
    expect([...(network?.fdb.keys() ?? [])]).toEqual(['02:00:00:00:00:05', '02:00:00:00:00:06']);
  });

  it('reaches the other subnets of a network over the same link', () => {
    expect(network?.endpoints[0]?.routes).toEqual(['10.2.0.0/24']);
    expect(network?.endpoints[0]?.interface).toBe('web0');
  });

  it('is settled by its own settled kernel', () => {
    expect(plan(desired, settled(desired))).toEqual([]);
  });
});
