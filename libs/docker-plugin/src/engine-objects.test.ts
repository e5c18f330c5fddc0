// Network objects that an engine should have, and names of containers as a name server can serve them.

import { describe, expect, it } from '@jest/globals';
import { dnsLabel, endpointNames } from './container-names';
import { keptLabel, planObjects, type EngineNetwork, type WantedNetwork } from './network-objects';

const web: WantedNetwork = {
  ...{ id: 'n1', name: 'web', internal: false, labels: { tier: 'front' } },
  subnets: [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1', reserved: {} }],
};
const kept: EngineNetwork = {
  ...{ id: 'obj', name: 'web', driver: 'skein', addressDriver: 'skein', internal: false },
  ...{ subnets: ['10.1.0.0/24'], options: { net: 'n1' } },
  labels: { tier: 'front', [keptLabel]: 'n1' },
};
const { [keptLabel]: _, ...peoplesLabels } = kept.labels;
const peoples = { ...kept, labels: peoplesLabels };
const plan = (wanted: WantedNetwork[], found: EngineNetwork[]) =>
  planObjects(wanted, found, 'skein');

describe('network objects', () => {
  it('are made for networks that have none, with explicit subnets and both names of the network', () => {
    expect(plan([web], [])).toEqual([
      {
        reason: 'object missing',
        create: {
          ...{ Name: 'web', CheckDuplicate: true, Driver: 'skein', Internal: false },
          ...{ EnableIPv4: true, EnableIPv6: false, Options: { net: 'n1' } },
          Labels: { tier: 'front', [keptLabel]: 'n1' },
          IPAM: {
            ...{ Driver: 'skein', Options: { net: 'n1' } },
            Config: [{ Subnet: '10.1.0.0/24', Gateway: '10.1.0.1' }],
          },
        },
      },
    ]);
  });

  it.each([
    [['10.1.0.0/24'], { EnableIPv4: true, EnableIPv6: false }],
    [['10.1.0.0/24', 'fd00:1::/64'], { EnableIPv4: true, EnableIPv6: true }],
    [['fd00:1::/64'], { EnableIPv4: false, EnableIPv6: true }],
  ])('of %j have the families of their subnets', (cidrs, families) => {
    const subnets = cidrs.map((cidr) => ({
      cidr,
      gateway: cidr.replace(/0?\/.*/, '1'),
      reserved: {},
    }));
    expect(plan([{ ...web, subnets }], [])).toMatchObject([{ create: families }]);
  });

  it.each([
    ['as they should be', [kept]],
    ['made by people for the network', [peoples]],
    ['of people, beside ours', [kept, { ...peoples, id: 'mine', name: 'mine' }]],
    ['of other drivers', [kept, { ...kept, id: 'b', driver: 'bridge' }]],
  ])('%s are left alone', (_what, found) => {
    expect(plan([web], found)).toEqual([]);
  });

  it.each([
    ['another subnet', { subnets: ['10.1.0.0/24', '10.2.0.0/24'] }],
    ['other labels', { labels: { [keptLabel]: 'n1' } }],
    ['a way out where there should be none', { internal: true }],
  ])('with %s are made anew', (_what, difference) => {
    expect(plan([web], [{ ...kept, ...difference }])).toMatchObject([
      { remove: 'obj', create: { Name: 'web' }, reason: 'the network has changed' },
    ]);
  });

  it.each([
    ['ours, beside one that people made at the same time', { ...peoples, id: 'mine' }],
    ['ours, all but one', { ...kept, id: 'a' }],
  ])('of one name go if they are %s', (_what, other) => {
    expect(plan([web], [kept, other])).toEqual([{ remove: 'obj', reason: 'there twice' }]);
    expect(plan([web], [other, kept])).toEqual([{ remove: 'obj', reason: 'there twice' }]);
  });

  it('whose addresses another driver chooses are made anew under their own name', () => {
    const declared = {
      ...peoples,
      name: 'mine',
      addressDriver: 'default',
      options: { 'skein.network': 'web' },
    };
    expect(plan([web], [kept, declared])).toMatchObject([
      { remove: 'obj', create: { Name: 'mine', IPAM: { Driver: 'skein' } } },
    ]);
  });

  it('of networks that are not for this host any more go, and people’s stay', () => {
    expect(plan([], [kept, peoples])).toEqual([
      { remove: 'obj', reason: 'not for this host any more' },
    ]);
  });
});

describe('names of a container', () => {
  it.each([
    ['proj_web_1', 'proj-web-1'],
    ['Web.One', 'web-one'],
    ['__x__', 'x'],
    ['a'.repeat(80), 'a'.repeat(63)],
    ['___', undefined],
    ['', undefined],
  ])('%s is %s', (text, label) => {
    expect(dnsLabel(text)).toBe(label);
  });

  it('leave out its id, and its service is one that many may have', () => {
    const containerId = '0123456789abcdef'.repeat(4);
    expect(
      endpointNames({
        ...{
          containerId,
          name: '/shop_db_1',
          aliases: ['db', '0123456789ab', 'Data.Base', 'data_base'],
        },
        labels: { 'com.docker.compose.service': 'db', long: 'x'.repeat(2_000) },
      }),
    ).toEqual({
      ...{ name: 'shop-db-1', aliases: ['data-base'], service: 'db' },
      labels: { 'com.docker.compose.service': 'db' },
    });
  });
});
