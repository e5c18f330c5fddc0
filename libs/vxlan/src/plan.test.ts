import { describe, expect, it } from '@jest/globals';
import {
  desiredOf,
  gatewayMac,
  keyOf,
  plan,
  plugKeyOf,
  repairsOf,
  sandboxesToInspect,
  settled,
  vethName,
  withoutSandbox,
  type Change,
  type Desired,
  type Observed,
  type ObservedNetwork,
  type OverlayShare,
} from './index';

const settings = { vtep: '192.0.2.1', vxlanPort: 4789, netnsPrefix: 'sk-' };
const web: OverlayShare['networks'][number] = {
  id: 'web-id',
  vni: 100,
  mtu: 1450,
  subnets: [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1' }],
};
const a = {
  id: 'a',
  networkId: 'web-id',
  host: 'h1',
  addresses: ['10.1.0.5/24'],
  mac: '02:42:0a:01:00:05',
  sandbox: { netns: '/run/netns/a' },
};
const b = {
  id: 'b',
  networkId: 'web-id',
  host: 'h2',
  addresses: ['10.1.0.6/24'],
  mac: '02:42:0a:01:00:06',
};
const share: OverlayShare = {
  hosts: [
    { id: 'h1', vtep: '192.0.2.1' },
    { id: 'h2', vtep: '192.0.2.2' },
  ],
  networks: [web],
  endpoints: [a, b],
};
const nothing: Observed = { networks: new Map(), sandboxes: new Map() };
const veth = vethName('a');

function desiredFrom(changed: Partial<OverlayShare> = {}): Desired {
  return desiredOf({ ...share, ...changed }, 'h1', settings);
}

/** A settled kernel with some of the network's facts changed. */
function settledBut(changed: Partial<ObservedNetwork>): Observed {
  const all = settled(desiredFrom());
  const network = { ...(all.networks.get('sk-100') as ObservedNetwork), ...changed };
  return { ...all, networks: new Map([['sk-100', network]]) };
}

function told(changes: readonly Change[]): string[] {
  return changes.map(({ kind, action, reason }) => `${kind} ${action}: ${reason}`);
}

describe('plan on an empty kernel', () => {
  const sandboxes = new Map([['/run/netns/a', { interfaces: [], routes: new Set<string>() }]]);
  const changes = plan(desiredFrom(), { ...nothing, sandboxes });

  it('makes the way before anything that uses it', () => {
    expect(told(changes)).toEqual([
      'namespace put: namespace missing',
      'bridge put: bridge missing',
      'vxlan put: vxlan device missing',
      'gateway put: gateway address missing',
      'veth put: veth missing',
      'port put: port is new',
      'neighbor put: row missing',
      'fdb put: row missing',
      'fdb put: port is new',
    ]);
  });

  it('has one cause a missing network', () => {
    expect(repairsOf(changes, new Set())).toEqual([
      { kind: 'namespace', networkId: 'web-id', reason: 'namespace missing', count: 1 },
    ]);
  });

  it('points each remote row at the vtep of its host', () => {
    const rows = changes.filter(({ kind }) => kind === 'fdb');
    expect(rows).toMatchObject([
      { mac: b.mac, port: 'vxlan0', vtep: '192.0.2.2', replaces: false },
      { mac: a.mac, port: veth, vtep: null },
    ]);
  });
});

describe('plan on a settled kernel', () => {
  it('is empty', () => {
    expect(plan(desiredFrom(), settled(desiredFrom()))).toEqual([]);
  });

  const desired = desiredFrom();
  const { fdb } = settled(desired).networks.get('sk-100') as ObservedNetwork;
  const rowOf = (port: string | null, ...vteps: string[]) =>
    settledBut({ fdb: new Map([...fdb, [b.mac, { port, vteps }]]) });
  const network = settled(desired).networks.get('sk-100') as ObservedNetwork;
  const vxlan = network.vxlan as NonNullable<ObservedNetwork['vxlan']>;

  it.each([
    ['a row gone', settledBut({ fdb: new Map([...fdb].slice(0, 1)) }), ['fdb put: row missing']],
    ['half of a row gone', rowOf('vxlan0'), ['fdb put: row of the vxlan device missing']],
    ['the other half gone', rowOf(null, '192.0.2.2'), ['fdb put: row of the bridge missing']],
    [
      'a row of another host',
      rowOf('vxlan0', '192.0.2.9'),
      ['fdb put: vtep 192.0.2.2 wanted, 192.0.2.9 found'],
    ],
    [
      'a row to another port of its host',
      rowOf('vxlan0', '192.0.2.2 port 77'),
      ['fdb put: vtep 192.0.2.2 wanted, 192.0.2.2 port 77 found'],
    ],
    [
      'a row that names a group',
      rowOf('vxlan0', 'nhid 7'),
      ['fdb put: vtep 192.0.2.2 wanted, nhid 7 found'],
    ],
    [
      'a row to several hosts',
      rowOf('vxlan0', '192.0.2.2', '192.0.2.9'),
      ['fdb put: vtep 192.0.2.2 wanted, 192.0.2.2, 192.0.2.9 found'],
    ],
    [
      'a row of its own host that leads elsewhere',
      settledBut({ fdb: new Map([...fdb, [a.mac, { port: veth, vteps: ['192.0.2.9'] }]]) }),
      ['fdb put: vtep none wanted, 192.0.2.9 found'],
    ],
    [
      'a neighbor with another mac',
      settledBut({ neighbors: new Map([['10.1.0.6', a.mac]]) }),
      [`neighbor put: ${b.mac} wanted, ${a.mac} found`],
    ],
    [
      'a neighbor nobody wants',
      settledBut({ neighbors: new Map([...network.neighbors, ['10.1.0.9', b.mac]]) }),
      ['neighbor remove: no endpoint has it'],
    ],
    [
      'a row nobody wants',
      settledBut({
        fdb: new Map([...fdb, ['02:00:00:00:00:99', { port: null, vteps: ['192.0.2.9'] }]]),
      }),
      ['fdb remove: no endpoint has it'],
    ],
    [
      'a gateway address gone',
      settledBut({ gateways: new Set() }),
      ['gateway put: gateway address missing'],
    ],
    [
      'another gateway address',
      settledBut({ gateways: new Set(['10.1.0.1/24', '10.1.0.2/24']) }),
      ['gateway remove: not a gateway here'],
    ],
    [
      'a bridge with another mac',
      settledBut({ bridge: { mac: b.mac, mtu: 1450, isUp: true } }),
      [
        `bridge put: gateway mac ${gatewayMac('web-id')} wanted, ${b.mac} found`,
        'neighbor put: row missing',
      ],
    ],
    [
      'flooding on',
      settledBut({ vxlan: { ...vxlan, flood: true } }),
      ['vxlan put: flood off wanted, on found'],
    ],
    [
      'no suppression',
      settledBut({ vxlan: { ...vxlan, neighSuppress: false } }),
      ['vxlan put: neighbor suppression true wanted'],
    ],
    [
      'a port taken out of the bridge',
      settledBut({
        veths: new Map([
          [veth, { ...vxlan, neighSuppress: false, master: null, index: 0, peerIndex: 0 }],
        ]),
      }),
      ['port put: port of br0 wanted, of none found'],
    ],
    [
      'a veth of nobody',
      settledBut({
        veths: new Map([...network.veths, [vethName('x'), { ...vxlan, index: 9, peerIndex: 9 }]]),
      }),
      ['veth remove: no endpoint here uses it'],
    ],
    [
      "someone's own device",
      settledBut({
        veths: new Map([...network.veths, ['mine0', { ...vxlan, index: 9, peerIndex: 9 }]]),
      }),
      [],
    ],
  ])('repairs %s', (_name, observed, expected) => {
    expect(told(plan(desired, observed))).toEqual(expected);
  });

  it('replaces a device with another vni, and all rows with it', () => {
    const changes = plan(desired, settledBut({ vxlan: { ...vxlan, vni: 200 } }));
    expect(told(changes)).toEqual(['vxlan put: vni 100 wanted, 200 found', 'fdb put: row missing']);
    expect(changes[0]).toMatchObject({ replaces: true });
    expect(repairsOf(changes, new Set())).toHaveLength(1);
  });

  it.each([
    ['in place where it names one vtep', ['192.0.2.9'], false],
    ['in place where it names none', [], false],
    ['from nothing where it names a group', ['nhid 7'], true],
    ['from nothing where it says more', ['192.0.2.2 port 77'], true],
    ['from nothing where it names several', ['192.0.2.2', '192.0.2.9'], true],
  ])('writes a row %s', (_name, vteps, replaces) => {
    expect(plan(desired, rowOf('vxlan0', ...vteps))).toMatchObject([{ mac: b.mac, replaces }]);
  });

  it('follows a host to another address, row by row', () => {
    const hosts = [{ id: 'h2', vtep: '192.0.2.77' }];
    const c = { ...b, id: 'c', mac: '02:42:0a:01:00:07', addresses: ['10.1.0.7/24'] };
    const before = settled(desiredFrom({ endpoints: [a, b, c] }));
    const changes = plan(desiredFrom({ hosts, endpoints: [a, b, c] }), before);
    expect(told(changes)).toEqual([
      'fdb put: vtep 192.0.2.77 wanted, 192.0.2.2 found',
      'fdb put: vtep 192.0.2.77 wanted, 192.0.2.2 found',
    ]);
    expect(changes).toMatchObject([{ replaces: false }, { replaces: false }]);
  });

  it('takes the rows of a host that is lost, one by one', () => {
    const changes = plan(desiredFrom({ hosts: [], endpoints: [a] }), settled(desired));
    expect(changes.map(({ kind, action }) => `${kind} ${action}`)).toEqual([
      'fdb remove',
      'neighbor remove',
    ]);
  });

  it('takes away what led to an endpoint that is here now, though its port is not', () => {
    const here = desiredFrom({ endpoints: [a, { ...b, host: 'h1', sandbox: { netns: '/x' } }] });
    const [remove] = plan(here, settled(desired)).filter(({ kind }) => kind === 'fdb');
    expect(remove).toMatchObject({ action: 'remove', mac: b.mac, port: 'vxlan0', onVxlan: true });
  });

  it('removes namespaces that no network here uses', () => {
    const none = { hosts: [], networks: [], endpoints: [] };
    expect(told(plan(desiredFrom(none), settled(desired)))[0]).toBe(
      'namespace remove: no network here uses it',
    );
  });
});

describe('plan for sandboxes', () => {
  const desired = desiredFrom();
  const other = { index: 2, peerIndex: null, mac: b.mac, mtu: 1500, isUp: true, addresses: [] };
  const seen = settledBut({
    veths: new Map([
      [
        veth,
        {
          ...(settled(desired).networks.get('sk-100')?.veths.get(veth) as never as object),
          master: 'br0',
          mtu: 1450,
          isUp: true,
          learning: false,
          flood: false,
          neighSuppress: false,
          index: 4,
          peerIndex: 3,
        },
      ],
    ]),
  });
  const inside = {
    name: 'eth0',
    index: 3,
    peerIndex: 4,
    mac: a.mac,
    mtu: 1450,
    isUp: true,
    addresses: ['10.1.0.5/24'],
  };
  const withInterfaces = (interfaces: (typeof inside)[]): Observed => ({
    ...seen,
    sandboxes: new Map([['/run/netns/a', { interfaces, routes: new Set<string>() }]]),
  });

  it('takes the next free name', () => {
    const interfaces = [
      { ...other, name: 'eth0' },
      { ...other, name: 'eth2' },
    ];
    const sandboxes = new Map([['/run/netns/a', { interfaces, routes: new Set<string>() }]]);
    const changes = plan(desired, { ...settled(desired, new Set([veth])), sandboxes });
    expect(changes[0]).toMatchObject({ kind: 'veth', interface: 'eth1', mac: a.mac });
  });

  it('gives two endpoints of one sandbox two names', () => {
    const c = { ...a, id: 'c', mac: '02:42:0a:01:00:07', addresses: ['10.1.0.7/24'] };
    const both = desiredFrom({ endpoints: [a, c] });
    const sandboxes = new Map([['/run/netns/a', { interfaces: [], routes: new Set<string>() }]]);
    const names = plan(both, { ...nothing, sandboxes }).flatMap((change) =>
      change.kind === 'veth' && change.action === 'put' ? [change.interface] : [],
    );
    expect(names).toEqual(['eth0', 'eth1']);
  });

  it('leaves a right interface alone, under whatever name', () => {
    expect(plan(desired, withInterfaces([{ ...inside, name: 'renamed' }]))).toEqual([]);
  });

  it.each([
    ['a lost address', { addresses: [] }, 'interface put: address 10.1.0.5/24 missing'],
    ['a changed mac', { mac: b.mac }, `interface put: mac ${a.mac} wanted, ${b.mac} found`],
    ['an interface that is down', { isUp: false }, 'interface put: interface down'],
  ])('repairs %s', (_name, changed, expected) => {
    expect(told(plan(desired, withInterfaces([{ ...inside, ...changed }])))).toEqual([expected]);
  });

  it('plugs in anew if the other end is elsewhere', () => {
    const changes = plan(desired, withInterfaces([]));
    expect(changes[0]).toMatchObject({ kind: 'veth', replaces: true });
  });

  it('does nothing for a sandbox that is missing, and says whose it is', () => {
    const sandboxes = new Map([['/run/netns/a', 'missing' as const]]);
    const observed = { ...settled(desired, new Set([veth])), sandboxes };
    expect(plan(desired, observed)).toEqual([]);
    expect(withoutSandbox(desired, observed).map(({ id }) => id)).toEqual(['a']);
  });

  it('asks to look into the sandboxes of endpoints without veth only', () => {
    expect([...sandboxesToInspect(desired, nothing)]).toEqual(['/run/netns/a']);
    expect([...sandboxesToInspect(desired, settled(desired))]).toEqual([]);
  });

  it('does not count a plug that was due as drift', () => {
    const sandboxes = new Map([['/run/netns/a', { interfaces: [], routes: new Set<string>() }]]);
    const changes = plan(desired, { ...settled(desired, new Set([veth])), sandboxes });
    const key = plugKeyOf({ netns: 'sk-100', veth });
    expect(changes.map(keyOf)).toContain(key);
    expect(repairsOf(changes, new Set([key]))).toEqual([]);
    expect(repairsOf(changes, new Set())).toHaveLength(1);
  });
});

describe('an endpoint of this host without a sandbox', () => {
  it('needs nothing in the kernel', () => {
    const { sandbox: _, ...bare } = a;
    const desired = desiredFrom({ endpoints: [bare, b] });
    expect(desired.networks.get('sk-100')?.endpoints).toEqual([]);
    expect([...(desired.networks.get('sk-100')?.fdb.keys() ?? [])]).toEqual([b.mac]);
  });
});
