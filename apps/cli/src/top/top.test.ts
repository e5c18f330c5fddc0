// What `skein top` shows at each size, and what its keys do.

import { describe, expect, it } from '@jest/globals';
import { frame, type FrameState, type Pane } from './frame';
import { Looker, type TopView } from './look';
import { atStart, moved } from './reader';
import { keysIn } from './terminal';

const at = Date.UTC(2026, 10, 30, 12, 0, 5);
const members = ['m1', 'm2', 'm3'].map((id) => ({
  id,
  role: id === 'm2' ? 'leader' : 'follower',
  lag: 0,
  diskLatencyMs: 2.5,
  healthy: id !== 'm3',
}));

function viewOf(hosts: number, networks: number): TopView {
  return {
    at,
    failure: null,
    cluster: {
      leaderId: 'm2',
      term: 7,
      revision: 1_031,
      commitIndex: 2_000,
      commitsPerSecond: 12.34,
      quorum: { voters: 3, needed: 2, alive: 2, spare: 0 },
      bytes: 4_096,
      members,
      alarms: [],
    },
    hosts: Array.from({ length: hosts }, (_, n) => ({
      name: `h${n + 1}`,
      state: n === 1 ? 'down' : 'up',
      isDraining: n === 2,
      endpoints: n,
      networks: 1,
      programmed: 1_031,
      repairs: 0,
      since: at - 65_000,
    })),
    networks: Array.from({ length: networks }, (_, n) => ({
      name: `net-${n + 1}`,
      endpoints: n,
      hosts: 2,
      used: n === 0 ? 254 : n,
      total: n === 1 ? '18446744073709551616' : 254,
    })),
  };
}

const events = Array.from({ length: 40 }, (_, n) => `${n + 1}  endpoint.attached name=e${n + 1}`);
const stateOf = (columns: number, rows: number, over: Partial<FrameState> = {}): FrameState => ({
  columns,
  rows,
  ...atStart,
  events,
  ...over,
});
const bare = (line: string): string => line.replace(/\x1b\[[0-9;]*m/g, '');
const shown = (view: TopView, state: FrameState): string[] => frame(view, state).map(bare);

describe('a frame', () => {
  it.each([
    [80, 24],
    [200, 60],
    [120, 24],
    [40, 10],
    [20, 6],
  ])('is never larger than a terminal of %i by %i', (columns, rows) => {
    for (const [hosts, networks] of [
      [0, 0],
      [3, 2],
      [300, 300],
    ] as const) {
      const lines = shown(viewOf(hosts, networks), stateOf(columns, rows));
      expect(lines.length).toBe(rows);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    }
  });

  it('has all that matters in 80 by 24', () => {
    const text = shown(viewOf(3, 2), stateOf(80, 24)).join('\n');
    expect(text).toContain('leader m2  term 7  revision 1031  12.3 commits/s');
    expect(text).toContain('2 of 3 voters alive, 2 needed: can lose none');
    expect(text).toContain('m3 unreachable');
    expect(text).toMatch(/h2\s+down/);
    expect(text).toMatch(/h3\s+draining/);
    expect(text).toMatch(/net-1\s+254\/254/);
    expect(text).toMatch(/net-2\s+1\/1\.8e19/);
    expect(text).toContain('40  endpoint.attached name=e40');
  });

  it('puts hosts and networks side by side where there is room', () => {
    const lines = shown(viewOf(3, 2), stateOf(160, 24));
    expect(lines.find((line) => line.includes('HOST'))).toContain('NETWORK');
  });

  it('scrolls the pane that has the keys, and no further than its end', () => {
    const offsets = { hosts: 299, networks: 0, events: 0 };
    const text = shown(viewOf(300, 2), stateOf(80, 24, { offsets })).join('\n');
    expect(text).toContain('h300');
    expect(text).not.toMatch(/ h1 /);
    const older = stateOf(80, 24, { offsets: { hosts: 0, networks: 0, events: 39 } });
    expect(shown(viewOf(3, 2), older).join('\n')).toContain(' 1  endpoint.attached name=e1');
  });

  it('keeps what was seen last while the gateway is away, and says so', () => {
    const view = { ...viewOf(3, 2), failure: 'There is no leader at the moment' };
    const lines = shown(view, stateOf(80, 24));
    expect(lines.at(-1)).toBe('There is no leader at the moment');
    expect(lines.join('\n')).toContain('h1');
  });

  it('shows no control character of a name or an event', () => {
    const lines = frame(viewOf(1, 1), stateOf(80, 24, { events: ['1  x\x1b[2Jy\r\n'] }));
    expect(lines.join('\n')).not.toMatch(/\x1b\[2J|\r/);
  });
});

describe('keys', () => {
  const lengths: Record<Pane, number> = { hosts: 3, networks: 2, events: 40 };

  it('are told apart, however many come at once', () => {
    expect(keysIn('\x1b[A\x1b[Bjkq\t\x1b[Z\x03')).toEqual([
      'up',
      'down',
      'down',
      'up',
      'quit',
      'next',
      'previous',
      'quit',
    ]);
    expect(keysIn('xyz\x1b')).toEqual([]);
  });

  it('go round the panes, and stay within each', () => {
    let reader = moved(atStart, 'previous', lengths);
    expect(reader.focus).toBe('events');
    reader = moved(reader, 'up', lengths);
    expect(reader.offsets.events).toBe(1);
    expect(moved(reader, 'first', lengths).offsets.events).toBe(39);
    expect(moved(reader, 'last', lengths).offsets.events).toBe(0);
    reader = moved(reader, 'next', lengths);
    expect(reader.focus).toBe('hosts');
    expect(moved(reader, 'up', lengths).offsets.hosts).toBe(0);
    expect(moved(reader, 'last', lengths).offsets.hosts).toBe(2);
  });
});

describe('a look', () => {
  const network = {
    id: 'n1',
    name: 'web',
    endpoints: 1,
    hosts: ['h1'],
    revision: 5,
    subnets: [{}],
  };
  const answers: Record<string, unknown> = {
    '/v1/cluster': { leaderId: 'm1', term: 1, revision: 5, commitIndex: 10, members: [] },
    '/v1/hosts': { hosts: [] },
    '/v1/networks': { networks: [network] },
    '/v1/networks/n1/addresses': { used: 2, total: 254 },
  };

  it('counts the addresses of a network again only if something about it has changed', async () => {
    const asked: string[] = [];
    const looker = new Looker({
      ask: async (path: string) => {
        asked.push(path);
        return answers[path];
      },
    });
    const first = await looker.look();
    expect(first.networks).toMatchObject([{ name: 'web', used: 2, total: 254 }]);
    expect(first.cluster?.commitsPerSecond).toBeNull();
    expect((await looker.look()).cluster?.commitsPerSecond).toBe(0);
    expect(asked.filter((path) => path.endsWith('/addresses'))).toHaveLength(1);
    network.endpoints = 2;
    await looker.look();
    expect(asked.filter((path) => path.endsWith('/addresses'))).toHaveLength(2);
  });

  it('that fails says why, beside what was seen before', async () => {
    let isAway = false;
    const looker = new Looker({
      ask: async (path: string) => {
        if (isAway) throw new Error('gone');
        return answers[path];
      },
    });
    await looker.look();
    isAway = true;
    const view = await looker.look();
    expect(view.failure).not.toBeNull();
    expect(view.networks).toHaveLength(1);
  });
});
