import { beforeAll, expect, it } from '@jest/globals';
import { describeWherePossible } from '../support/where-possible';
import { tellStory, whyNoPrivateWorld } from './private-world';

type Story = Record<string, unknown>;

describeWherePossible(await whyNoPrivateWorld(), 'agents on the real kernel', () => {
  let story: Story;

  beforeAll(async () => {
    story = await tellStory<Story>('agent-world', ['agent-process']);
  }, 150_000);

  it('register with what they are', () => {
    expect(story['registration']).toMatchObject({
      id: 'h1',
      vtep: '192.0.2.1',
      gossip: '192.0.2.1:7946',
      underlayMtu: 1500,
      bootId: 'boot-1',
    });
  });

  it('acknowledge what they have programmed', () => {
    expect(story['pushes']).toEqual([
      { programmed: 2, faults: [] },
      { programmed: 4, faults: [] },
    ]);
    expect(story['reaches']).toBe(true);
  });

  it('answer for names on the gateway address', () => {
    expect(story['names']).toEqual({
      b: 'NOERROR 10.1.0.6',
      qualified: 'NOERROR 10.1.0.5',
      service: 'NOERROR 10.1.0.5 10.1.0.6',
      'other family': 'NOERROR',
      pointer: 'NOERROR b.web',
      stream: 'NOERROR 10.1.0.5 10.1.0.6',
      unknown: 'NXDOMAIN',
      elsewhere: 'NOERROR 192.0.2.80',
      'unknown elsewhere': 'NXDOMAIN',
    });
  });

  it('answer on the common address too, in networks and on the host', () => {
    expect(story['common address']).toEqual({
      b: 'NOERROR 10.1.0.6',
      stream: 'NOERROR 10.1.0.6',
      'on the host': 'NOERROR 10.1.0.6',
      'elsewhere on the host': 'NOERROR 192.0.2.80',
      'a name alone on the host': 'NXDOMAIN',
    });
  });

  it('answer on after any noise', () => {
    expect(story['after noise']).toEqual(['NOERROR 10.1.0.6', 'NOERROR 10.1.0.6']);
  });

  it('ask nobody else for an internal network', () => {
    expect(story['internal']).toEqual(['NOERROR 10.1.0.6', 'REFUSED']);
  });

  it('want a snapshot for a delta that does not fit', () => {
    expect(story['misfit']).toEqual({ wanted: true, programmed: 6 });
  });

  it('repair a deleted row, and count and tell it once', () => {
    expect(story['drift']).toEqual({ repairs: { fdb: 1 }, told: 1 });
  });

  it('withdraw the names of a host that is down, and keep its rows', () => {
    expect(story['host down']).toEqual({ name: 'NXDOMAIN', reaches: true });
    expect(story['host back']).toBe('NOERROR 10.1.0.6');
  });

  it('are outlived by the data plane', () => {
    expect(story['agent killed']).toEqual({ reaches: true, name: 'nothing' });
  });

  it('come back without disturbing anything, and adopt it', () => {
    expect(story['agent back']).toEqual({
      untouched: { reaches: true, programmed: 0 },
      faults: [],
      name: 'NOERROR 10.1.0.6',
      repairs: {},
    });
  });

  it('plug an endpoint in once its sandbox is there, and call that no drift', () => {
    expect(story['late sandbox']).toEqual({
      faults: ['id-late sandbox_not_found'],
      repairs: {},
    });
  });

  it('show the kernel’s rows', () => {
    expect(story['status']).toEqual({
      networks: [{ id: 'web-id', name: 'web', netns: 'sk-h1-100', endpoints: 2 }],
      rows: [
        // Of three endpoints, and of the probes of both hosts.
        ...['fdb', 'fdb', 'fdb', 'fdb', 'fdb'],
        // Bridge, VXLAN device, two endpoints' ports, and both ends of the probe.
        ...['link', 'link', 'link', 'link', 'link', 'link'],
        // Of the endpoint and of the probe elsewhere.
        ...['neighbor', 'neighbor'],
      ],
      dropped: { networks: { web: 0 }, strangers: 0 },
    });
  });

  it('count what they keep out, for their heartbeats and for Prometheus', () => {
    expect(story['kept out']).toEqual({
      strangers: 1,
      metrics: [
        expect.stringMatching(/^skein_spoofed_frames\{network="web"\} [1-9]\d*$/),
        'skein_stranger_frames 1',
      ],
      elsewhere: null,
    });
  });

  it('leave nothing of a network that has gone', () => {
    expect(story['gone']).toEqual({
      namespaces: ['a', 'b', 'h1', 'h2', 'late', 'sk-h2-100'],
      a: false,
    });
  });

  it('stop without touching the kernel', () => {
    expect(story['stopped']).toEqual({ code: 0, kept: true });
  });
});
