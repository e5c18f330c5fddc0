// The ways inside the overlay as agents find them by trying, and what people are told of them when the underlay is at fault.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Stack } from '../support/stack';

let stack: Stack;

interface Pair {
  readonly from: string;
  readonly to: string;
  readonly state: string;
  readonly rttMs?: number;
}

beforeAll(async () => {
  stack = await Stack.start();
  await stack.call('POST', '/v1/networks', { name: 'web', subnets: [{ cidr: '10.79.0.0/24' }] });
  for (const host of ['h1', 'h2']) {
    const { status } = await stack.call('POST', '/v1/networks/web/endpoints', { host, name: host });
    expect(status).toBe(201);
  }
}, 60_000);

afterAll(() => stack?.stop(), 30_000);

async function pairs(): Promise<Pair[]> {
  return (await stack.call('GET', '/v1/reachability')).body.pairs;
}

/** Waits until every pair is in this state, and two pairs are known. */
async function becomes(state: string): Promise<Pair[]> {
  for (let patience = 200; ; patience -= 1) {
    const found = await pairs();
    if (found.length === 2 && found.every((pair) => pair.state === state)) return found;
    if (patience === 0) throw new Error(`not ${state}: ${JSON.stringify(found)}`);
    await delay(100);
  }
}

/** What h2's underlay does to datagrams of VXLAN that come in; null: nothing. */
async function underlayDrops(what: string | null): Promise<void> {
  const rule = `udp dport 4789 ${what} drop`;
  const chain = `chain in { type filter hook prerouting priority -300; ${rule}; }\n`;
  const text = ['table inet fault', 'delete table inet fault'];
  if (what !== null) text.push(`table inet fault { ${chain}}`);
  const { code, stderr } = await stack.cluster.control.call('run', {
    netns: 'host-h2',
    argv: ['nft', `${text.join('\n')}\n`],
    timeoutMs: 10_000,
  });
  expect(`${code} ${stderr}`).toBe('0 ');
}

it('finds the ways between hosts that share a network open, with frames of full size, and no others', async () => {
  const open = await becomes('ok');
  expect(open.map(({ from, to }) => `${from} ${to}`).sort()).toEqual(['h1 h2', 'h2 h1']);
  for (const { rttMs } of open) expect(rttMs).toBeGreaterThan(0);
}, 60_000);

it('counts what passes between hosts where it arrives, once it is asked', async () => {
  await becomes('ok');
  const frames = async (): Promise<Record<string, number>> => {
    const { status, body } = await stack.call('GET', '/v1/traffic');
    expect([status, body.silent]).toEqual([200, []]);
    return Object.fromEntries(
      (body.ways as { from: string; to: string; frames: number; bytes: number }[])
        .filter(({ frames: some, bytes }) => bytes >= some * 50)
        .map((way) => [`${way.from} ${way.to}`, way.frames]),
    );
  };
  const before = await frames();
  expect(Object.keys(before).sort()).toEqual(['h1 h2', 'h2 h1']);
  for (let patience = 100; ; patience -= 1) {
    // Agents try the way all the time.
    const now = await frames();
    if (Object.entries(before).every(([way, some]) => (now[way] ?? 0) > some + 3)) break;
    if (patience === 0) throw new Error(JSON.stringify({ before, now }));
    await delay(100);
  }
}, 60_000);

it('tells an underlay that carries less than its MTU says from one that carries nothing', async () => {
  await becomes('ok');
  await underlayDrops('meta length > 1000');
  await becomes('small');
  await underlayDrops('meta length > 0');
  await becomes('none');
  const explain = '/v1/explain?network=web&from=h1&to=h2';
  const { body: broken } = await stack.call('GET', explain);
  expect(broken.ok).toBe(false);
  expect(broken.steps[broken.firstWrong]).toMatchObject({
    step: 'probe',
    detail: expect.stringContaining('Nothing that h1 sends to h2'),
    facts: { host: 'h1', to: 'h2', state: 'none' },
  });
  await underlayDrops(null);
  await becomes('ok');
  const { body: whole } = await stack.call('GET', explain);
  expect(whole).toMatchObject({ ok: true });
  expect(whole.firstWrong).toBeUndefined();
}, 120_000);

it('tells of a host what its peers think of it and how long its lease may last', async () => {
  const { body } = await stack.call('GET', '/v1/hosts/h3');
  expect(body.opinions).toEqual({ alive: 2, suspect: [], dead: [] });
  expect(body.lease).toMatchObject({ epoch: 1, bootId: body.bootId, fences: [] });
  await stack.cluster.control.call('kill', { process: 'agent-h3' });
  for (let patience = 200; ; patience -= 1) {
    const { opinions, lease } = (await stack.call('GET', '/v1/hosts/h3')).body;
    const accusers = opinions?.dead ?? [];
    if (accusers.length === 2 && lease.leftMs === 0) break;
    if (patience === 0) throw new Error(JSON.stringify({ opinions, lease }));
    await delay(100);
  }
}, 60_000);
