// A member whose loops block in sending: each activity sends once, late, while suspicions run out.

import { describe, expect, it } from '@jest/globals';
import { swimConfig } from './config';
import type { OpinionMessage } from './message';
import { seededRandom } from './random';
import { createSwim } from './swim';

const meta = { bootId: 'boot', tags: {} };

describe('a blocked member', () => {
  it('sends once more, declares what runs out, and goes on where it stopped', () => {
    const self = { name: 'a', address: '10.0.0.1:7946', meta };
    const swim = createSwim(swimConfig('lan', { silenceMs: Infinity }), self, seededRandom(3));
    swim.step({ kind: 'start', now: 0 });
    const others = ['b', 'c', 'd'].map((name, index): OpinionMessage => ({
      kind: 'alive',
      name,
      address: `10.0.0.${index + 2}:7946`,
      incarnation: 1,
      meta,
    }));
    const suspect: OpinionMessage = { kind: 'suspect', name: 'b', incarnation: 1, accuser: 'c' };
    const receive = { kind: 'receive' as const, from: '10.0.0.3:7946', via: 'datagram' as const };
    swim.step({ ...receive, now: 1, messages: [...others, suspect] });
    const traced: string[] = [];
    const events: string[] = [];
    let now = swim.wakeAtMs;
    for (; now < 20_000; now = swim.wakeAtMs) {
      const effects = swim.step({ kind: 'tick', now, isBlocked: true });
      traced.push(...effects.trace.map(({ kind }) => kind));
      events.push(...effects.events.map(({ kind }) => kind));
    }
    expect(traced.filter((kind) => kind === 'probeSent')).toHaveLength(1);
    expect(traced).not.toContain('probeFailed');
    expect(events).toContain('memberDead');

    const woken = swim.step({ kind: 'tick', now: 20_000 });
    const kinds = woken.trace.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['indirectProbe', 'probeFailed', 'probeSent']));
  });
});
