import { describe, expect, it } from '@jest/globals';
import { parseArrays, parseNetwork, parseRows, parseSandbox } from './parse';

const slave = { learning: false, flood: false, neigh_suppress: true };
const vxlan = {
  ifindex: 3,
  ifname: 'vxlan0',
  flags: ['UP'],
  mtu: 1450,
  master: 'br0',
  address: 'c2:6c:46:16:fb:cc',
  linkinfo: {
    info_kind: 'vxlan',
    info_data: { id: 100, local6: '2001:db8::1', port: 4789, learning: false },
    info_slave_kind: 'bridge',
    info_slave_data: slave,
  },
  addr_info: [],
};
const bridge = {
  ifindex: 2,
  ifname: 'br0',
  flags: ['UP'],
  mtu: 1450,
  address: '0e:00:00:00:00:01',
  linkinfo: { info_kind: 'bridge' },
  addr_info: [
    { family: 'inet', local: '10.1.0.1', prefixlen: 24, scope: 'global' },
    { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' },
  ],
};
const veth = {
  ifindex: 4,
  link_index: 9,
  ifname: 'v0123456789ab',
  flags: [],
  mtu: 1450,
  linkinfo: { info_kind: 'veth' },
  addr_info: [],
};
const neighbor = { dst: 'fd00:0:0:0::6', dev: 'br0', lladdr: '02:00:00:00:00:06' };

describe('parseNetwork', () => {
  const network = parseNetwork('sk-100', [vxlan, bridge, veth, neighbor], []);

  it('reads devices, gateways and neighbors', () => {
    expect(network.bridge).toEqual({ mac: '0e:00:00:00:00:01', mtu: 1450, isUp: true });
    expect(network.vxlan).toMatchObject({ vni: 100, local: '2001:db8::1', master: 'br0' });
    expect(network.veths.get('v0123456789ab')).toMatchObject({
      index: 4,
      peerIndex: 9,
      master: null,
      isUp: false,
    });
    expect([...network.gateways]).toEqual(['10.1.0.1/24']);
    expect([...network.neighbors]).toEqual([['fd00::6', '02:00:00:00:00:06']]);
  });

  it('takes a device of another kind under the name for none', () => {
    const other = { ...vxlan, linkinfo: { info_kind: 'dummy' } };
    expect(parseNetwork('sk-100', [other], []).vxlan).toBeNull();
  });
});

describe('parseRows', () => {
  const mac = '02:00:00:00:00:06';

  it('joins the rows of bridge and vxlan device, and passes over the kernel’s own', () => {
    const rows = parseRows([
      { mac: '33:33:00:00:00:01', ifname: 'br0', flags: ['self'], state: 'permanent' },
      { mac: 'c2:6c:46:16:fb:cc', ifname: 'vxlan0', flags: [], master: 'br0', state: 'permanent' },
      { mac: '02:00:00:00:00:99', ifname: 'veth9', flags: [], master: 'br0', state: '' },
      { mac, ifname: 'vxlan0', flags: [], master: 'br0', state: 'static' },
      { mac, ifname: 'vxlan0', dst: '192.0.2.9', flags: ['self'], state: 'static' },
    ]);
    expect([...rows]).toEqual([[mac, { port: 'vxlan0', vteps: ['192.0.2.9'] }]]);
  });

  it.each([
    ['a vtep', { dst: '2001:db8:0::9' }, '2001:db8::9'],
    ['a port besides', { dst: '192.0.2.9', port: 77 }, '192.0.2.9 port 77'],
    ['another vni and device', { dst: '192.0.2.9', vni: 9, viaIf: 'e' }, '192.0.2.9 vni 9 via e'],
    ['a group', { nhid: 7 }, 'nhid 7'],
  ])('tells %s', (_name, words, named) => {
    const rows = parseRows([{ mac, ifname: 'vxlan0', flags: ['self'], ...words }]);
    expect(rows.get(mac)).toEqual({ port: null, vteps: [named] });
  });
});

describe('parseSandbox', () => {
  it('tells interfaces from routes', () => {
    const sandbox = parseSandbox(
      parseArrays(
        `${JSON.stringify([bridge, veth])}\n${JSON.stringify([{ dst: '10.1.0.0/24' }])}\n`,
      ),
    );
    expect(sandbox.interfaces.map(({ name, peerIndex }) => [name, peerIndex])).toEqual([
      ['br0', null],
      ['v0123456789ab', 9],
    ]);
    expect([...sandbox.routes]).toEqual(['10.1.0.0/24']);
  });
});
