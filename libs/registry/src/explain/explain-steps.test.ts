// Each fault that can lie between two endpoints is seen at its own step, and told as the first that is wrong.

import { describe, expect, it } from '@jest/globals';
import type { TriedWay } from '@skein/contracts';
import { stepsOf, type Findings } from './explain-steps';
import type { AgentStatus, End } from './step';

const mac = { a: '02:42:0a:00:00:02', b: '02:42:0a:00:00:03' };
const address = { a: '10.0.0.2', b: '10.0.0.3' };
type Name = keyof typeof mac;

function way(host: string, fields: Partial<TriedWay> = {}): TriedWay {
  const found = { rttMs: 0.2, triedAgoMs: 400, answeredAgoMs: 390 };
  return { networkId: 'n1', host, state: 'ok', mtu: 1_450, ...found, ...fields };
}

function end(name: Name, host: string, other: Name, ways: TriedWay[]): End {
  const endpoint = {
    ...{ id: name, networkId: 'n1', host, name, aliases: [], labels: {}, mac: mac[name] },
    ...{ addresses: [`${address[name]}/24`], created: { request: 'r', at: 1 }, revision: 7 },
  } as unknown as End['endpoint'];
  const status: AgentStatus = {
    ...{ host, bootId: 'b', programmed: 9, digest: 'd', networks: [], repairs: {}, members: [] },
    rows: [
      { networkId: 'n1', kind: 'fdb', key: mac[other], value: 'vxlan0' },
      { networkId: 'n1', kind: 'neighbor', key: address[other], value: mac[other] },
    ],
    ways,
  };
  const record = { state: 'held', endpointId: name } as End['records'][number]['record'];
  return {
    endpoint,
    host: {
      id: host,
      name: host,
      state: 'up',
      vtep: '192.0.2.1',
      underlayMtu: 1_500,
    } as End['host'],
    records: [{ address: address[name], record }],
    digest: 'd',
    acked: 9,
    status,
  };
}

const network = { id: 'n1', name: 'web', vni: 4_096, revision: 3 } as Findings['network'];

function findings(ways: { a?: TriedWay[]; b?: TriedWay[] } = {}, to = 'h2'): Findings {
  const { a = [way('h2')], b = [way('h1')] } = ways;
  return { network, mtu: 1_450, from: end('a', 'h1', 'b', a), to: end('b', to, 'a', b) };
}

const firstWrong = (found: Findings) => stepsOf(found).find(({ ok }) => !ok);

describe('the steps of a way', () => {
  it('are all right where everything is, with the MTU and what was tried last in both directions', () => {
    const steps = stepsOf(findings());
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.map(({ step }) => step)).toEqual([
      ...['network', 'mtu', 'endpoint', 'endpoint', 'holder', 'holder', 'host', 'host'],
      ...['programmed', 'programmed', 'rows', 'rows', 'probe', 'probe'],
    ]);
    expect(steps[1]).toMatchObject({
      detail: 'Network web has an MTU of 1450, the most that its hosts carry',
      facts: { mtu: 1_450, isGiven: false },
    });
    expect(steps.at(-2)).toMatchObject({
      detail:
        'Host h1 reaches h2 with frames of full size, MTU 1450, 0.2 ms there and back, last 0.4 s ago',
      facts: { host: 'h1', to: 'h2', state: 'ok', rttMs: 0.2 },
    });
  });

  it('tell whether each is plugged in, where it has a sandbox', () => {
    const found = findings();
    const sandbox = { netns: '/run/netns/a' };
    const from = { ...found.from, endpoint: { ...found.from.endpoint, sandbox } } as End;
    const plugged = (value?: string) => {
      const own = { networkId: 'n1', kind: 'fdb', key: mac.a, value: value ?? '' } as const;
      const { rows = [], ...status } = from.status as AgentStatus;
      const all = value === undefined ? rows : [...rows, own];
      return stepsOf({ ...found, from: { ...from, status: { ...status, rows: all } } });
    };
    expect(plugged('v0123').filter(({ step }) => step === 'plugged')).toMatchObject([
      { ok: true, detail: 'a is plugged in on h1' },
    ]);
    for (const value of [undefined, 'vxlan0 192.0.2.2', 'no port 192.0.2.2']) {
      expect(plugged(value).find(({ ok }) => !ok)).toMatchObject({
        step: 'plugged',
        detail: 'a is not plugged in on h1: is /run/netns/a there?',
      });
    }
  });

  it('need no probe on one host', () => {
    const steps = stepsOf(findings({}, 'h1'));
    expect(steps.filter(({ step }) => step === 'probe')).toEqual([]);
  });

  it.each([
    ['small', { carriesMtu: 1_400 }, 'Only small frames (up to an MTU of 1400) get from h1 to h2'],
    [
      'none',
      { answeredAgoMs: 60_000 },
      'Nothing that h1 sends to h2 inside the overlay comes back',
    ],
    ['damaged', {}, 'Frames from h1 to h2 come changed'],
  ] as const)('are wrong at the probe where the wire carries: %s', (state, fields, words) => {
    const wrong = firstWrong(findings({ a: [way('h2', { state, ...fields })] }));
    expect(wrong).toMatchObject({ step: 'probe', detail: expect.stringContaining(words) });
  });

  it('take a way that was not tried often enough for no fault', () => {
    const untried = [way('h2', { state: null })];
    expect(firstWrong(findings({ a: untried, b: [] }))).toBeUndefined();
  });

  it('are wrong at the MTU that a host can not carry', () => {
    const wrong = firstWrong({ ...findings(), network: { ...network, mtu: 8_950 }, mtu: 8_950 });
    expect(wrong).toMatchObject({
      step: 'mtu',
      detail: 'Network web has an MTU of 8950; the underlay of h1 carries 1450',
    });
  });

  it('are wrong at the cause before they are at what follows from it', () => {
    const found = findings({ a: [way('h2', { state: 'none' })] });
    const { status } = found.from;
    const withoutRows = { ...found.from, status: { ...status, rows: [] } as AgentStatus };
    expect(firstWrong({ ...found, from: withoutRows })).toMatchObject({
      step: 'rows',
      detail: `Host h1 has no forwarding row for ${mac.b} of b`,
    });
  });

  it('know nothing of a host whose agent does not answer', () => {
    const found = findings();
    const silent = { ...found.from, status: { unreachable: 'nobody there' } };
    const steps = stepsOf({ ...found, from: silent }).filter(({ ok }) => !ok);
    expect(steps.map(({ step }) => step)).toEqual(['programmed', 'rows', 'probe']);
  });
});
