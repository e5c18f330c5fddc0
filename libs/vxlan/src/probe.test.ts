import { describe, expect, it } from '@jest/globals';
import { desiredOf, plan, probeOf, settled, type Observed, type OverlayShare } from './index';

const settings = { vtep: '192.0.2.1', vxlanPort: 4789, netnsPrefix: 'sk-', hasProbes: true };
const share: OverlayShare = {
  hosts: [
    { id: 'h1', vtep: '192.0.2.1' },
    { id: 'h2', vtep: '192.0.2.2' },
    { id: 'h3', vtep: '192.0.2.3' },
  ],
  networks: [
    {
      id: 'web',
      vni: 100,
      mtu: 1450,
      subnets: [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1' }],
    },
  ],
  endpoints: [
    { id: 'a', networkId: 'web', host: 'h1', addresses: ['10.1.0.5/24'], mac: '02:00:00:00:00:05' },
    { id: 'b', networkId: 'web', host: 'h2', addresses: ['10.1.0.6/24'], mac: '02:00:00:00:00:06' },
  ],
};
const desired = desiredOf(share, 'h1', settings);
const network = desired.networks.get('sk-100');

function withProbe(probe: { mac: string; address: string; mtu: number } | undefined): Observed {
  const all = settled(desired);
  const { probe: _, ...found } = all.networks.get('sk-100')!;
  const changed = { ...found, ...(probe === undefined ? {} : { probe }) };
  return { ...all, networks: new Map([['sk-100', changed]]) };
}

describe('a probe', () => {
  it('has a MAC and an address of its host alone, the same wherever they are worked out', () => {
    expect(probeOf('h1')).toEqual(probeOf('h1'));
    const ids = Array.from({ length: 2_000 }, (_, index) => `host-${index}`);
    expect(new Set(ids.map((id) => probeOf(id).mac)).size).toBe(2_000);
    expect(new Set(ids.map((id) => probeOf(id).address)).size).toBe(2_000);
    expect(probeOf('h1').mac).toMatch(/^06(:[0-9a-f]{2}){5}$/);
    expect(probeOf('h1').address).toMatch(/^fd53:6b65:6970:1:/);
  });

  it('finds those of hosts on the network, and of no others', () => {
    expect(network?.neighbors.get(probeOf('h2').address)).toBe(probeOf('h2').mac);
    expect(network?.fdb.get(probeOf('h2').mac)?.port).toBe('vxlan0');
    expect(network?.fdb.get(probeOf('h1').mac)).toEqual({ port: 'probe0', vtep: null });
    expect(network?.neighbors.has(probeOf('h3').address)).toBe(false);
  });

  it('is there where a kernel has settled', () => {
    expect(plan(desired, settled(desired))).toEqual([]);
  });

  it.each([
    ['is missing', undefined, 'probe missing'],
    ['has another MAC', { ...probeOf('h9'), mtu: 1450 }, 'probe is not as it should be'],
    ['has another MTU', { ...probeOf('h1'), mtu: 1400 }, 'probe is not as it should be'],
  ])('is made anew, with its row, when it %s', (_, probe, reason) => {
    const changes = plan(desired, withProbe(probe));
    expect(changes.map((change) => [change.kind, change.reason])).toEqual([
      ['probe', reason],
      ['fdb', 'port is new'],
    ]);
  });

  it('is not wanted where the kernel can have none', () => {
    const without = desiredOf(share, 'h1', { ...settings, hasProbes: false });
    expect(without.networks.get('sk-100')?.probe).toBeUndefined();
    expect(without.networks.get('sk-100')?.fdb.size).toBe(1);
  });
});
