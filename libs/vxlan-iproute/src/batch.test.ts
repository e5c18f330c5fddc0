import { describe, expect, it } from '@jest/globals';
import { type Change } from '@skein/vxlan';
import { failedLines, inPlace, line } from './batch';
import { networkLines } from './lines';

const path = '/run/netns/sk-100';
const head = { netns: 'sk-100', networkId: 'n', reason: 'test' };

describe('failedLines', () => {
  it('gives each failed line its own message', () => {
    const stderr = [
      'Cannot find device "nosuch"',
      'Command failed -:8',
      'Error: Nexthop id does not exist.',
      'Command failed -:11',
      'Command failed -:12',
    ].join('\n');
    expect([...failedLines(stderr)]).toEqual([
      [8, 'Cannot find device "nosuch"'],
      [11, 'Error: Nexthop id does not exist.'],
      [12, 'refused'],
    ]);
  });

  it('finds none where a namespace could not be entered', () => {
    expect(failedLines('nsenter: cannot open /x: No such file or directory\n').size).toBe(0);
  });
});

describe('line', () => {
  const change: Change = { ...head, kind: 'gateway', action: 'put', address: '10.0.0.1/24' };

  it.each(['a b', 'a\nlink del dev eth0', '-batch', 'a;b', '$(x)', '', 'x#y', "'x'", '"x"', '\\x'])(
    'refuses %j as a token',
    (token) => {
      expect(() => line(change, ['addr', token])).toThrow("can't be part of a command");
    },
  );

  it.each(['10.0.0.1/24', 'fd00::1/64', '02:42:0a:00:00:01', 'eth0.100', '/proc/7/ns/net'])(
    'takes %j',
    (token) => {
      expect(line(change, [token]).text).toBe(token);
    },
  );
});

describe('inPlace', () => {
  it('enters a namespace without a shell', () => {
    expect(inPlace({ at: 'existing', path }, ['ip'])).toEqual([
      'nsenter',
      `--net=${path}`,
      '--',
      'ip',
    ]);
    expect(inPlace({ at: 'new', path }, ['ip'])[0]).toBe('unshare');
    expect(inPlace({ at: 'host' }, ['ip'])).toEqual(['ip']);
  });
});

function text(changes: readonly Change[]): Record<string, string[]> {
  const { sandboxes, ...stages } = networkLines(changes, path);
  const written = (lines: (typeof stages)['rows']) => lines.map(({ text }) => text);
  const all = Object.entries(stages).map(([stage, lines]) => [stage, written(lines)] as const);
  const inside = [...sandboxes].map(([sandbox, lines]) => [sandbox, written(lines)] as const);
  return Object.fromEntries([...all, ...inside].filter(([, lines]) => lines.length > 0));
}

describe('networkLines', () => {
  it('makes the vxlan device from the host, in the namespace of the network', () => {
    const change: Change = {
      ...head,
      kind: 'vxlan',
      action: 'put',
      vni: 100,
      local: '192.0.2.1',
      vxlanPort: 4789,
      mtu: 1450,
      isMissing: false,
      replaces: true,
    };
    expect(text([change])).toEqual({
      ground: ['link del dev vxlan0'],
      host: [
        `link add name vxlan0 netns ${path} mtu 1450 type vxlan id 100 local 192.0.2.1 dstport 4789 nolearning`,
      ],
      ports: [
        'link set dev vxlan0 addrgenmode none group 83 mtu 1450 master br0',
        'link set dev vxlan0 type bridge_slave learning off flood off neigh_suppress on',
        'link set dev vxlan0 up',
      ],
    });
  });

  it('plugs an endpoint in from its sandbox', () => {
    const change: Change = {
      ...head,
      kind: 'veth',
      action: 'put',
      endpointId: 'a',
      veth: 'v0123456789ab',
      sandbox: '/run/netns/a',
      interface: 'eth0',
      mac: '02:00:00:00:00:05',
      mtu: 1450,
      addresses: ['10.1.0.5/24', 'fd00::5/64'],
      routes: ['10.2.0.0/24'],
      replaces: false,
    };
    expect(text([change])).toEqual({
      '/run/netns/a': [
        'link set dev lo up',
        `link add name eth0 address 02:00:00:00:00:05 mtu 1450 type veth peer name v0123456789ab mtu 1450 netns ${path}`,
        'addr replace 10.1.0.5/24 dev eth0',
        'addr replace fd00::5/64 dev eth0 nodad',
        'link set dev eth0 up',
        'route replace 10.2.0.0/24 dev eth0',
      ],
    });
  });

  it('asks for a port once it is up, so that it forwards', () => {
    const change: Change = { ...head, kind: 'port', action: 'put', veth: 'v1', mtu: 1450 };
    expect(text([change])['ports']?.slice(-2)).toEqual(['link set dev v1 up', 'link show dev v1']);
  });

  it('writes one row for bridge and vxlan device, and takes a foreign one away first', () => {
    const mac = '02:00:00:00:00:06';
    const put = { ...head, kind: 'fdb', action: 'put', mac, replaces: true } as const;
    expect(text([{ ...put, port: 'vxlan0', vtep: '192.0.2.2' }])).toEqual({
      rows: [
        `fdb del ${mac} dev vxlan0 self`,
        `fdb replace ${mac} dev vxlan0 self master static dst 192.0.2.2`,
      ],
    });
    const local = { ...put, replaces: false, port: 'v0123456789ab', vtep: null };
    expect(text([local])).toEqual({ rows: [`fdb replace ${mac} dev v0123456789ab master static`] });
  });

  it('takes away a row to everybody that says more than a vtep', () => {
    const remove = { ...head, kind: 'flood', action: 'remove' } as const;
    const zero = '00:00:00:00:00:00';
    expect(text(['192.0.2.9 port 77', 'nhid 7'].map((vtep) => ({ ...remove, vtep })))).toEqual({
      rows: [
        `fdb del ${zero} dev vxlan0 dst 192.0.2.9 port 77 self`,
        `fdb del ${zero} dev vxlan0 nhid 7 self`,
      ],
    });
  });
});
