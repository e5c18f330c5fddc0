// Which opinion beats which, as a table over all pairs: what is held of a member at incarnation 5, and what is then said of it.

import { describe, expect, it } from '@jest/globals';
import { swimConfig } from './config';
import type { SwimEvent } from './contract';
import type { MemberState } from './member';
import type { OpinionMessage } from './message';
import { seededRandom } from './random';
import { createSwim, type Swim } from './swim';

const address = '10.0.0.2:7946';
const meta = { bootId: 'boot', tags: {} };

function said(kind: 'alive' | 'suspect' | 'dead' | 'left', incarnation: number): OpinionMessage {
  if (kind === 'alive') return { kind, name: 'b', address, incarnation, meta };
  if (kind === 'left') return { kind: 'dead', name: 'b', incarnation, accuser: 'b' };
  return { kind, name: 'b', incarnation, accuser: 'c' };
}

function member(config = swimConfig('lan')): Swim {
  const self = { name: 'a', address: '10.0.0.1:7946', meta };
  const swim = createSwim(config, self, seededRandom(1));
  swim.step({ kind: 'start', now: 0 });
  return swim;
}

function hear(swim: Swim, now: number, messages: readonly OpinionMessage[]): readonly SwimEvent[] {
  return swim.step({ kind: 'receive', now, from: address, via: 'datagram', messages }).events;
}

/** What `a` holds of b after it held `held` at 5 and heard `next`. */
function after(held: MemberState, next: OpinionMessage): string {
  const swim = member();
  hear(swim, 1, [said('alive', 5), ...(held === 'alive' ? [] : [said(held, 5)])]);
  hear(swim, 2, [next]);
  const b = swim.members().find(({ name }) => name === 'b');
  return `${b?.state}@${b?.incarnation}`;
}

describe('an opinion', () => {
  it.each<[MemberState, OpinionMessage['kind'] | 'left', string, string, string]>([
    // held at 5, said, then at 4, at 5, at 6
    ['alive', 'alive', 'alive@5', 'alive@5', 'alive@6'],
    ['alive', 'suspect', 'alive@5', 'suspect@5', 'suspect@6'],
    ['alive', 'dead', 'alive@5', 'dead@5', 'dead@6'],
    ['alive', 'left', 'alive@5', 'left@5', 'left@6'],
    ['suspect', 'alive', 'suspect@5', 'suspect@5', 'alive@6'],
    ['suspect', 'suspect', 'suspect@5', 'suspect@5', 'suspect@6'],
    ['suspect', 'dead', 'suspect@5', 'dead@5', 'dead@6'],
    ['suspect', 'left', 'suspect@5', 'left@5', 'left@6'],
    ['dead', 'alive', 'dead@5', 'dead@5', 'alive@6'],
    ['dead', 'suspect', 'dead@5', 'dead@5', 'dead@5'],
    ['dead', 'dead', 'dead@5', 'dead@5', 'dead@5'],
    ['left', 'alive', 'left@5', 'left@5', 'alive@6'],
    ['left', 'suspect', 'left@5', 'left@5', 'left@5'],
    ['left', 'dead', 'left@5', 'left@5', 'left@5'],
  ])('held %s, said %s: at a lower, the same and a higher incarnation', (held, kind, ...wanted) => {
    expect([4, 5, 6].map((incarnation) => after(held, said(kind, incarnation)))).toEqual(wanted);
  });

  it.each([
    { kind: 'suspect' as const, incarnation: 1, now: 2 },
    { kind: 'suspect' as const, incarnation: 7, now: 8 },
    { kind: 'dead' as const, incarnation: 1, now: 2 },
    { kind: 'dead' as const, incarnation: 7, now: 8 },
  ])(
    'of oneself, $kind@$incarnation, is refuted above the accuser',
    ({ kind, incarnation, now }) => {
      const swim = member();
      const events = hear(swim, 1, [{ kind, name: 'a', incarnation, accuser: 'c' }]);
      expect(events).toContainEqual({ kind: 'refuted', incarnation: now, accuser: 'c' });
      expect(swim.self).toMatchObject({ incarnation: now, state: 'alive' });
      expect(swim.localHealth).toBe(1);
    },
  );

  it('of oneself that is older than the own word needs no refutation', () => {
    const swim = member();
    hear(swim, 1, [{ kind: 'suspect', name: 'a', incarnation: 4, accuser: 'c' }]);
    const events = hear(swim, 2, [{ kind: 'suspect', name: 'a', incarnation: 4, accuser: 'd' }]);
    expect(events).toEqual([]);
    expect(swim.self.incarnation).toBe(5);
  });
});

describe('a failed probe', () => {
  /** Local health of a after one failed probe of `b`, with these helpers about, of which so many say nack. */
  function healthAfter(helpers: number, nacks: number): number {
    const swim = member(swimConfig('lan', { streamFallback: false }));
    const names = Array.from({ length: helpers }, (_, index) => `h${index}`);
    const helper = (name: string): OpinionMessage => ({
      kind: 'alive',
      name,
      address: `10.0.1.${name.slice(1)}:7946`,
      incarnation: 1,
      meta,
    });
    hear(swim, 1, [said('alive', 1), ...names.map(helper)]);
    for (let now = swim.wakeAtMs; ; now = swim.wakeAtMs) {
      const { send, trace } = swim.step({ kind: 'tick', now });
      const failed = trace.find((entry) => entry.kind === 'probeFailed');
      if (failed !== undefined) return swim.localHealth;
      const asked = send.filter(({ messages }) => messages[0]?.kind === 'pingReq');
      for (const { to, messages } of asked.slice(0, nacks)) {
        const [request] = messages;
        const seq = request?.kind === 'pingReq' ? request.seq : 0;
        swim.step({
          kind: 'receive',
          now,
          from: to,
          via: 'datagram',
          messages: [{ kind: 'nack', seq }],
        });
      }
    }
  }

  it.each([
    { helpers: 0, nacks: 0, costs: 1 },
    { helpers: 2, nacks: 2, costs: 0 },
    { helpers: 2, nacks: 0, costs: 2 },
    { helpers: 3, nacks: 3, costs: 0 },
    { helpers: 3, nacks: 2, costs: 1 },
    { helpers: 3, nacks: 1, costs: 2 },
    { helpers: 3, nacks: 0, costs: 3 },
    { helpers: 6, nacks: 0, costs: 3 },
  ])('with $helpers others, $nacks of whose nacks come, costs $costs', (row) => {
    expect(healthAfter(row.helpers, row.nacks)).toBe(row.costs);
  });
});
