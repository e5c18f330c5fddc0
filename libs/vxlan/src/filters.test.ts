// Who is heard: sources in a network, members on the underlay, and who gets a copy of what is for everybody.

import { describe, expect, it } from '@jest/globals';
import { desiredOf, everybody, type OverlayShare } from './desired';
import { settled, type Observed, type ObservedNetwork } from './observed';
import { plan } from './plan';
import { trustingFilters } from './plan-filter';
import { repairsOf } from './repairs';
import { isSameSource, sourceOf, type Source } from './sources';

const settings = {
  ...{ vtep: '192.0.2.1', vxlanPort: 4789, netnsPrefix: 'sk-' },
  filtersSources: true,
};
const network = {
  id: 'n',
  vni: 7,
  mtu: 1450,
  subnets: [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1' }],
};
const endpoint = (id: string, host: string, more: object = {}) => ({
  id,
  networkId: 'n',
  host,
  addresses: [`10.1.0.${id.charCodeAt(0) - 92}/24`],
  mac: `02:00:00:00:00:${id.charCodeAt(0).toString(16)}`,
  ...more,
});
const share: OverlayShare = {
  hosts: [
    { id: 'h1', vtep: '192.0.2.1' },
    { id: 'h2', vtep: '192.0.2.2' },
    { id: 'h3', vtep: '2001:DB8::3' },
  ],
  networks: [network],
  endpoints: [
    endpoint('a', 'h1', { sandbox: { netns: '/run/netns/a' } }),
    endpoint('b', 'h2'),
    endpoint('c', 'h3'),
    endpoint('d', 'h2'),
  ],
};
const loud = { ...share, networks: [{ ...network, multicast: true as const }] };
const desired = desiredOf(share, 'h1', settings);
const told = (observed: Observed, of: OverlayShare = share) =>
  plan(desiredOf(of, 'h1', settings), observed).map(
    ({ kind, action, reason }) => `${kind} ${action}: ${reason}`,
  );
const withNetwork = (found: Partial<ObservedNetwork>, base = desired): Observed => {
  const all = settled(base);
  const [[netns, own]] = [...all.networks] as [[string, ObservedNetwork]];
  return { ...all, networks: new Map([[netns, { ...own, ...found }]]) };
};
const { filter } = settled(desired).networks.get('sk-7') ?? {};
const [[port, source]] = [...filter!.sources] as [[string, Source]];

const plugging = (steps: readonly string[]) =>
  steps.filter((step) => /^(filter|source|port) /.test(step));

describe('sources', () => {
  it('are the addresses alone for an endpoint without IPv6', () => {
    const source = { port: 'v0', mac: '02:00:00:00:00:05', addresses: ['10.1.0.5'] };
    expect(sourceOf('v0', source.mac, source.addresses)).toEqual(source);
  });

  it('include what IPv6 derives from the MAC, and no address yet', () => {
    const { addresses } = sourceOf('v0', '02:42:0a:01:00:05', ['10.1.0.5', 'fd00::5']);
    expect(addresses).toEqual(['10.1.0.5', 'fd00::5', 'fe80::42:aff:fe01:5', '::']);
  });

  it('are the same in whatever order they are told, and of one port alone', () => {
    const source = { port: 'v0', mac: '02:00:00:00:00:05', addresses: ['10.1.0.5', '10.1.0.6'] };
    expect(isSameSource(source, { ...source, addresses: ['10.1.0.6', '10.1.0.5'] })).toBe(true);
    for (const other of [{ port: 'v1' }, { mac: '02:00:00:00:00:06' }, { addresses: [] }]) {
      expect(isSameSource(source, { ...source, ...other })).toBe(false);
    }
  });
});

describe('filters', () => {
  it('are there from the start, before any port comes up', () => {
    const sandboxes = new Map([['/run/netns/a', { interfaces: [], routes: new Set<string>() }]]);
    const changes = plan(desired, { networks: new Map(), sandboxes });
    const steps = changes.map(({ kind, action }) => `${kind} ${action}`);
    expect(steps.indexOf('filter put')).toBeLessThan(steps.indexOf('vxlan put'));
    expect(steps.indexOf('underlay put')).toBeLessThan(steps.indexOf('vxlan put'));
    expect(plugging(steps)).toEqual(['filter put', 'source put', 'port put']);
    expect(repairsOf(changes, new Set()).map(({ kind }) => kind)).not.toContain('filter');
  });

  it('want nothing once they are there', () => {
    expect(told(settled(desired))).toEqual([]);
    expect(told(settled(desiredOf(loud, 'h1', settings)), loud)).toEqual([]);
  });

  it.each([
    [
      'missing',
      undefined,
      ['filter put: filter of sources missing', 'source put: nobody filters it'],
    ],
    ['not whole', { ...filter!, mtu: null }, ['filter put: filter of sources is not whole']],
    [
      'for another mtu',
      { ...filter!, mtu: 1400 },
      ['filter put: filter for mtu 1450 wanted, 1400 found'],
    ],
    ['without a port', { ...filter!, sources: new Map() }, ['source put: nobody filters it']],
    [
      'with a source of somebody else',
      { ...filter!, sources: new Map([[port!, { ...source!, addresses: ['10.1.0.9'] }]]) },
      ['source put: another source was let in'],
    ],
    [
      'with one too many',
      { ...filter!, sources: new Map([...filter!.sources, ['v9', { ...source!, port: 'v9' }]]) },
      ['source remove: no endpoint here uses it'],
    ],
  ])('%s are put right', (_name, found, expected) => {
    const observed = withNetwork({ filter: undefined });
    const [[netns, own]] = [...observed.networks] as [[string, ObservedNetwork]];
    const { filter: _, ...bare } = own;
    const as = found === undefined ? bare : { ...bare, filter: found };
    expect(told({ ...observed, networks: new Map([[netns, as]]) })).toEqual(expected);
  });

  it('let members in by network and address', () => {
    expect([...(desired.underlay?.members ?? [])]).toEqual(['7 192.0.2.2', '7 2001:db8::3']);
    const { underlay } = settled(desired);
    const found = (more: object) => ({ ...settled(desired), underlay: { ...underlay!, ...more } });
    expect(told({ ...settled(desired), underlay: null })).toEqual([
      'underlay put: filter of members missing',
    ]);
    expect(told(found({ local: '192.0.2.9' }))).toEqual([
      'underlay put: filter of members for 192.0.2.1 4789 wanted, 192.0.2.9 4789 found',
    ]);
    expect(told(found({ vxlanPort: null }))).toEqual([
      'underlay put: filter of members is not whole',
    ]);
    expect(told(found({ members: new Set(['7 192.0.2.2', '9 192.0.2.2']) }))).toEqual([
      'member put: not let in',
      'member remove: takes no part in it',
    ]);
    expect(told(found({ vnis: new Set([8]) }))).toEqual([
      'vni put: vni not filtered',
      'vni remove: no network here has it',
    ]);
  });

  it('are left as they are by who does not look at them', () => {
    const seen = withNetwork({ filter: { ...filter!, mtu: null, sources: new Map() } });
    const { underlay: _, ...unseen } = seen;
    expect(plan(trustingFilters(desired), unseen)).toEqual([]);
  });

  it('come with a namespace that is made anew, whether they are looked at or not', () => {
    const gone = { ...settled(desired), networks: new Map() };
    const steps = (seen: typeof desired) => plan(seen, gone).map(({ kind }) => kind);
    expect(steps(trustingFilters(desired, (netns) => netns === 'sk-7'))).toContain('filter');
    expect(steps(trustingFilters(desired, () => false))).not.toContain('filter');
  });

  it('come with a port that is made anew, whether they are looked at or not', () => {
    const sandboxes = new Map([['/run/netns/a', { interfaces: [], routes: new Set<string>() }]]);
    const observed = { ...withNetwork({ veths: new Map() }), sandboxes };
    const changes = plan(trustingFilters(desired), observed);
    const steps = changes.map(({ kind, action }) => `${kind} ${action}`);
    expect(plugging(steps)).toEqual(['source put', 'port put']);
    expect(repairsOf(changes, new Set()).map(({ kind }) => kind)).not.toContain('source');
  });

  it('wait for the port', () => {
    const found = withNetwork({ filter: { ...filter!, sources: new Map() }, veths: new Map() });
    expect(told(found).filter((step) => step.startsWith('source'))).toEqual([]);
  });

  it('go with the last network', () => {
    const none = { hosts: [], networks: [], endpoints: [] };
    expect(told(settled(desired), none)).toContain('underlay remove: no network is here');
    expect(told(settled(desiredOf(none, 'h1', settings)), none)).toEqual([]);
  });
});

describe('a detour of bridged frames', () => {
  it('is taken away where one was seen, and counted', () => {
    const found = withNetwork({ hasDetour: true });
    expect(told(found)).toEqual(['detour remove: bridged frames pass the hooks of IP']);
    const [repair] = repairsOf(plan(desired, found), new Set());
    expect(repair).toMatchObject({ kind: 'detour', networkId: 'n', count: 1 });
    expect(told(withNetwork({}))).toEqual([]);
  });
});

describe('frames to everybody', () => {
  it('go to each host with members once, if the network says so', () => {
    expect([...(desiredOf(loud, 'h1', settings).networks.get('sk-7')?.flood ?? [])]).toEqual([
      '192.0.2.2',
      '2001:db8::3',
    ]);
    expect(told(settled(desired), loud)).toEqual([
      'flood put: it has members',
      'flood put: it has members',
    ]);
  });

  it('stay here otherwise, whatever somebody else has written', () => {
    const fdb = new Map(settled(desired).networks.get('sk-7')?.fdb);
    fdb.set(everybody, { port: null, vteps: ['192.0.2.9'] });
    expect(told(withNetwork({ fdb }))).toEqual(['flood remove: no multicast here']);
  });
});
