import { beforeAll, expect, it } from '@jest/globals';
import { describeWherePossible } from '../support/where-possible';
import { tellStory, whyNoPrivateWorld } from './private-world';

type Story = Record<string, Record<string, unknown>>;

describeWherePossible(await whyNoPrivateWorld(), 'networks that others try to enter', () => {
  let story: Story;

  beforeAll(async () => {
    story = await tellStory<Story>('closed-world', ['overlay-host']);
  }, 150_000);

  it('are programmed without faults', () => {
    expect(story['faults']).toEqual([]);
  });

  it('hear endpoints from their own MAC and addresses alone, and count the rest', () => {
    expect(story['impostors']).toEqual({
      'nothing dropped before': 0,
      'own address': true,
      'own address, v6': true,
      'asked again': true,
      'nothing dropped after': 0,
      'other address': false,
      'other address to the host elsewhere': false,
      'other address, v6': false,
      counted: true,
      'claimed by arp': false,
      'claimed by advertisement': false,
      'claims counted': true,
      'other mac': false,
      'own again': true,
      'other address without the filter': true,
    });
  });

  it.each([
    ['table', 'filter 1'],
    ['shared rules', 'filter 1'],
    ['rules of a port', 'source 1'],
    ['one rule of a port', 'source 1'],
    ['chain', 'source 1'],
    ['foreign chain', 'source 1'],
    ['port', 'underlay 1'],
    ['port rules', 'underlay 1'],
    ['port tracking', 'underlay 1'],
    ['member', 'member 1'],
    ['stranger', 'member 1'],
    ['vni', 'vni 1'],
  ])('repair the filter’s %s once, and count it as one', (drift, repair) => {
    expect(story['drifts']?.[drift]).toEqual({ repairs: [repair], faults: [], left: [] });
  });

  it('keep a port that can’t be filtered down, and no other', () => {
    expect(story['one unfiltered']).toEqual({ faults: ['sk-h1-100 source version4'], let: true });
  });

  it('take frames from hosts that take part alone', () => {
    const expected = { heard: false, counted: true, 'heard without the filter': true };
    expect(story['outsider']).toEqual(expected);
    expect(story['wide underlay']?.['outsider']).toEqual(expected);
  });

  it('take no forged frame, whole or in fragments, tracked or not', () => {
    expect(story['tracking']).toMatchObject({
      heard: {
        before: [],
        then: [],
        'without the filter': [
          'whole',
          'to everybody',
          'in fragments',
          'in fragments, the first without a VNI',
          'in fragments, the first with another VNI',
        ],
      },
      // Of each of the five forms, four frames.
      'strangers counted': { before: 20, then: 20 },
    });
  });

  it('are not tracked by a host that tracks connections, but for those that it forwards', () => {
    const untracked = { tracked: false, untracked: true };
    const tracked = { tracked: true, untracked: false };
    const none = { tracked: false, untracked: false };
    const both = { input: untracked, output: untracked, forward: none };
    expect(story['tracking']).toMatchObject({
      ...{ way: true, back: true, 'member counted': true, at1: both, at2: both },
      ...{ passing: tracked, 'output without the filter': tracked },
    });
  });

  it('carry broadcast to members elsewhere if told to, and to nobody else', () => {
    expect(story['multicast']).toEqual({
      quiet: { here: true, elsewhere: false },
      on: ['flood put: it has members'],
      aloud: { here: true, elsewhere: true },
      way: true,
      again: [],
      alone: expect.arrayContaining(['flood remove: it has no members']),
      rows: '',
      off: [],
    });
  });

  it('tell TCP the largest segment that they carry', () => {
    expect(story['segment']).toBeGreaterThan(1_300);
    expect(story['segment']).toBeLessThanOrEqual(1_410);
  });

  it('are not touched by another cluster on the same hosts and another port', () => {
    expect(story['another port']).toEqual({ faults: [], way: true, mixed: false, first: true });
    expect(story['the first is left alone']).toEqual([]);
  });

  it('leave no rule behind', () => {
    expect(story['gone']).toEqual({
      rules: '',
      namespaces: 'a\nb\nc\nd\ne\nf\nh1\nh2\nh3',
    });
  });

  it('span an underlay of IPv6 as well', () => {
    const { outsider: _, ...rest } = story['wide underlay'] ?? {};
    expect(rest).toEqual({ faults: [], again: [], way: true, version6: true, everybody: true });
  });
});
