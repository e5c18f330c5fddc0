import { beforeAll, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { describeWherePossible } from '../support/where-possible';
import { tellStory, whyNoPrivateWorld } from './private-world';

const bridgeSwitches = '/proc/sys/net/bridge';

interface Story {
  readonly attach: { faults: string[]; warm: string[]; again: string[]; others: string };
  readonly ways: Record<string, string>;
  readonly neighbor: boolean;
  readonly twins: Record<string, string>;
  readonly 'twin gone': { faults: string[]; namespaces: string; d: string };
  readonly 'fresh port': { faults: string[]; state: string; sameIndex: boolean };
  readonly detour: { made: string[]; repairs: string[]; repaired: string[] } | null;
  readonly drifts: Record<
    string,
    { repairs: string[]; faults: string[]; left: string[]; way: string }
  >;
  readonly adopted: string[];
  readonly 'other mtu': string[];
  readonly 'other mtu again': string[];
  readonly partly: { faults: string[]; way: string };
  readonly gone: { faults: string[]; namespaces: string; links: string };
}

describeWherePossible(await whyNoPrivateWorld(), 'an overlay on the real kernel', () => {
  let story: Story;

  beforeAll(async () => {
    story = await tellStory<Story>('overlay-world', ['overlay-host']);
  }, 150_000);

  it('is programmed without faults, and programming it again changes nothing', () => {
    expect(story.attach.faults).toEqual([]);
    expect(story.attach.again).toEqual([]);
  });

  it('takes one forwarding row and one neighbor an address for a remote endpoint, and lets its host in', () => {
    expect(story.attach.warm).toEqual([
      'member put: not let in',
      'neighbor put: row missing',
      'neighbor put: row missing',
      'fdb put: row missing',
    ]);
  });

  it('carries datagrams of both families and of full size, between subnets too', () => {
    expect(story.ways).toEqual({
      small: 'b 9',
      fullSize: 'b 1423',
      version6: 'b 1403',
      back: 'a 9',
    });
  });

  it('answers for remote neighbors without flooding', () => {
    expect(story.neighbor).toBe(true);
  });

  it('keeps networks with the same addresses apart', () => {
    expect(story.twins).toEqual({ web: 'b 9', twin: 'd 9' });
  });

  it('forwards for an endpoint from the moment at which it is plugged in', () => {
    expect(story['fresh port']).toEqual({ faults: [], state: 'forwarding', sameIndex: true });
  });

  it('leads frames past the hooks of IP, and repairs that', () => {
    // Without `br_netfilter` frames go straight anyway.
    const straight = { made: ['0', '0'], repairs: ['detour 1'], repaired: ['0', '0'] };
    expect(story.detour).toEqual(existsSync(bridgeSwitches) ? straight : null);
  });

  it('leaves nothing of a network whose last endpoint has gone', () => {
    expect(story['twin gone'].faults).toEqual([]);
    expect(story['twin gone'].namespaces).not.toContain('-101');
    expect(story['twin gone'].d).not.toContain('eth0');
  });

  it.each([
    ['forwarding row', 'fdb 1'],
    ['bridge row', 'fdb 1'],
    ['neighbor', 'neighbor 1'],
    ['foreign row', 'fdb 1'],
    ['flood row', 'flood 1'],
    ['gateway', 'gateway 1'],
    ['port', 'vxlan 1'],
    ['device down', 'vxlan 1'],
    ['device', 'vxlan 1'],
    ['bridge', 'bridge 1'],
    ['row of a group', 'fdb 1'],
    ['interface', 'interface 1'],
    ['address', 'interface 1'],
    ['veth', 'veth 1'],
    ['namespace', 'namespace 1'],
  ])('repairs a %s once, and counts it as one', (drift, repair) => {
    const { repairs, faults, left, way } = story.drifts[drift] ?? {};
    expect({ repairs, faults, left, way }).toEqual({
      repairs: [repair],
      faults: [],
      left: [],
      way: 'b 9',
    });
  });

  it('adopts what an earlier life has left', () => {
    expect(story.adopted).toEqual([]);
  });

  it('changes what differs, and no more', () => {
    expect(story['other mtu'].map((text) => text.split(':')[0])).toEqual([
      'filter put',
      'bridge put',
      'vxlan put',
      'port put',
      'interface put',
    ]);
    expect(story['other mtu again']).toEqual([]);
  });

  it('plugs in whom it can, and says whom it can’t', () => {
    expect(story.partly.faults.some((text) => text.startsWith('veth program_failed'))).toBe(true);
    expect(story.partly.way).toBe('b 9');
  });

  it('ends with nothing', () => {
    expect(story.gone.faults).toEqual([]);
    expect(story.gone.namespaces.split('\n')).toEqual(['a', 'b', 'c', 'd', 'h1', 'h2']);
    expect(story.gone.links).not.toContain('eth0');
  });
});
