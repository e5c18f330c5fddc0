// The rule that turns silence and opinions into a cut, by table.

import { describe, expect, it } from '@jest/globals';
import {
  decideCut,
  defaultLivenessLimits,
  type Observation,
  type ObservedHost,
} from './liveness-rule';

const now = 100_000;

function host(
  id: string,
  fields: Partial<ObservedHost> & { silentMs?: number } = {},
): ObservedHost {
  const { silentMs = 100, ...rest } = fields;
  return { id, state: 'up', lastHeardAt: now - silentMs, accuses: [], vouchesFor: [], ...rest };
}

function seen(hosts: ObservedHost[], fields: Partial<Observation> = {}): Observation {
  return { now, holdDownUntil: 0, hosts, cutsAt: [], ...fields };
}

const silent = { silentMs: 2_000 };
const accusing = (...accuses: string[]) => ({ accuses });
const suspecting = (...suspects: string[]) => ({ suspects });

const table: [string, Observation, string[]][] = [
  [
    'two accusers of a silent host',
    seen([host('a', silent), host('b', accusing('a')), host('c', accusing('a'))]),
    ['a'],
  ],
  ['one accuser of two judges', seen([host('a', silent), host('b', accusing('a')), host('c')]), []],
  [
    'one accuser where there is one judge',
    seen([host('a', silent), host('b', accusing('a'))]),
    ['a'],
  ],
  ['silence without an accuser', seen([host('a', silent), host('b'), host('c')]), []],
  [
    'accusers of a host that is heard',
    seen([host('a', { silentMs: 1_499 }), host('b', accusing('a')), host('c', accusing('a'))]),
    [],
  ],
  [
    'an accuser that is silent itself does not count',
    seen([
      host('a', silent),
      host('b', { ...silent, ...accusing('a') }),
      host('c', accusing('a')),
      host('d'),
    ]),
    [],
  ],
  [
    'an accuser that is down does not count',
    seen([
      host('a', silent),
      host('b', { state: 'down', accuses: ['a'] }),
      host('c', accusing('a')),
      host('d'),
    ]),
    [],
  ],
  [
    'a host does not accuse itself',
    seen([host('a', { ...silent, accuses: ['a'] }), host('b'), host('c')]),
    [],
  ],
  [
    'a host that two suspect, silent for a while',
    seen([
      host('a', { silentMs: 3_500 }),
      host('b', suspecting('a')),
      host('c', suspecting('a')),
      host('d', { vouchesFor: ['a'] }),
    ]),
    ['a'],
  ],
  [
    'a host that two suspect, silent for less',
    seen([host('a', { silentMs: 3_499 }), host('b', suspecting('a')), host('c', suspecting('a'))]),
    [],
  ],
  [
    'a host that as many suspect as call it alive',
    seen([
      host('a', { silentMs: 3_500 }),
      host('b', suspecting('a')),
      host('c', suspecting('a')),
      host('d', { vouchesFor: ['a'] }),
      host('e', { vouchesFor: ['a'] }),
    ]),
    [],
  ],
  [
    'a host that one suspects, among two judges',
    seen([host('a', { silentMs: 3_500 }), host('b', suspecting('a')), host('c')]),
    [],
  ],
  [
    'a host that one calls dead and one suspects',
    seen([host('a', { silentMs: 3_500 }), host('b', accusing('a')), host('c', suspecting('a'))]),
    ['a'],
  ],
  ['a lone host, silent for long', seen([host('a', { silentMs: 10_000 })]), ['a']],
  ['a lone host, silent for a while', seen([host('a', { silentMs: 9_999 })]), []],
  [
    'a host that its only judges have never heard of, silent for long',
    seen([host('a', { silentMs: 10_000 }), host('b'), host('c', accusing('a'))]),
    ['a'],
  ],
  [
    'a host that is called alive, silent for long',
    seen([host('a', { silentMs: 10_000 }), host('b', { vouchesFor: ['a'] }), host('c')]),
    [],
  ],
  [
    'a host that is down stays as it is',
    seen([host('a', { silentMs: 60_000, state: 'down' })]),
    [],
  ],
  [
    'hold-down',
    seen([host('a', silent), host('b', accusing('a'))], { holdDownUntil: now + 1 }),
    [],
  ],
  [
    'a brake that an earlier cut has used up',
    seen([host('a', silent), host('b', accusing('a')), host('c', accusing('a'))], {
      cutsAt: [now - 9_999],
    }),
    [],
  ],
  [
    'a brake that has been let go',
    seen([host('a', silent), host('b', accusing('a')), host('c', accusing('a'))], {
      cutsAt: [now - 10_000],
    }),
    ['a'],
  ],
];

describe('liveness rule', () => {
  it.each(table)('%s', (_name, observation, down) => {
    const cut = decideCut(observation, defaultLivenessLimits);
    expect(cut.down.map((each) => each.host)).toEqual(down);
  });

  it('cuts off no more than half of the hosts at once, the longest silent first', () => {
    const hosts = [
      host('a', { silentMs: 2_000 }),
      host('b', { silentMs: 4_000 }),
      host('c', { silentMs: 3_000 }),
      host('d', accusing('a', 'b', 'c')),
      host('e', accusing('a', 'b', 'c')),
    ];
    const cut = decideCut(seen(hosts), defaultLivenessLimits);
    expect(cut.down.map((each) => each.host)).toEqual(['b', 'c']);
    expect(cut.braked).toEqual(['a']);
  });

  it('tells why', () => {
    const hosts = [host('a', silent), host('c', accusing('a')), host('b', accusing('a'))];
    const [first] = decideCut(seen(hosts), defaultLivenessLimits).down;
    expect(first?.reason).toBe('silent for 2000 ms, called dead by b, c');
  });
});
