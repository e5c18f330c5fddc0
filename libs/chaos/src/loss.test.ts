// What counts as a loss, as a wrong answer and as nobody's fault.

import { describe, expect, it } from '@jest/globals';
import { Ledger, type Told } from './ledger';
import { LossJudge } from './loss';
import { overlapping } from './history-audit';
import type { Outcome } from './probe-protocol';
import { Weather } from './weather';
import { nowMs } from './clock';

const hosts = ['h1', 'h2'];
let number = 0;

function told(host: string, change: Partial<Told> = {}): Told {
  number += 1;
  const at = nowMs();
  const addresses = [`10.81.1.${number}/28`];
  const who = { id: `e${number}`, name: `n${number}`, networkId: 'n', network: 'small', host };
  return { ...who, addresses, sandbox: `s${number}`, sentAt: at, answeredAt: at, ...change };
}

function judged(arrange: (weather: Weather, ledger: Ledger) => void, outcome: Outcome) {
  const weather = new Weather();
  const ledger = new Ledger(weather);
  const judge = new LossJudge(ledger, weather, nowMs());
  const [from, to] = [told('h1'), told('h2')];
  ledger.attached(from, [], true, hosts);
  ledger.attached(to, [], true, hosts);
  arrange(weather, ledger);
  const sentAt = nowMs() + 1;
  judge.take([[from.id, to.id, '10.81.1.2', sentAt, outcome]]);
  judge.judge(sentAt + 10_000);
  const { losses, wrongAnswers } = judge;
  return { lost: losses.length, wrong: wrongAnswers.length };
}

describe('a ping between live containers', () => {
  it('counts as lost on hosts that were not harmed, whatever their agents suffer', () => {
    expect(judged(() => undefined, 'answered')).toEqual({ lost: 0, wrong: 0 });
    expect(judged(() => undefined, 'lost')).toEqual({ lost: 1, wrong: 0 });
    expect(judged((weather) => weather.ails('agent-h2'), 'lost')).toEqual({ lost: 1, wrong: 0 });
  });

  it('does not count while the underlay of one is cut, nor once its detach was sent', () => {
    expect(judged((weather) => weather.harms('h2'), 'lost')).toEqual({ lost: 0, wrong: 0 });
    const detach = (_: Weather, ledger: Ledger) => {
      for (const held of ledger.held) held.detachSentAt = nowMs();
    };
    expect(judged(detach, 'lost')).toEqual({ lost: 0, wrong: 0 });
  });

  it('must be answered by the holder of the address alone', () => {
    expect(judged(() => undefined, 'other')).toEqual({ lost: 0, wrong: 1 });
    expect(judged(() => undefined, 'twice')).toEqual({ lost: 0, wrong: 1 });
  });
});

describe('an address', () => {
  it('given to a second while the first holds it is a violation, unless it may have been reclaimed', () => {
    const given = (network: string, ails: boolean) => {
      const weather = new Weather();
      const ledger = new Ledger(weather);
      const addresses = ['10.81.3.4/27'];
      ledger.attached(told('h1', { network, addresses }), [], true, hosts);
      if (ails) weather.ails('agent-h1');
      ledger.attached(told('h2', { network, addresses }), [], true, hosts);
      return ledger.violations.length;
    };
    expect(given('small', false)).toBe(1);
    expect(given('small', true)).toBe(1);
    expect(given('fenced', false)).toBe(1);
    expect(given('fenced', true)).toBe(0);
  });

  it('has holders one after the other in its history', () => {
    const holding = (sinceRevision: number, untilRevision?: number) =>
      ({ sinceRevision, untilRevision, endpointName: 'x' }) as Parameters<typeof overlapping>[0][0];
    expect(overlapping([holding(5, 9), holding(1, 5), holding(9)], 'a')).toEqual([]);
    expect(overlapping([holding(1, 6), holding(5)], 'a')).toHaveLength(1);
    expect(overlapping([holding(1), holding(5)], 'a')).toHaveLength(1);
  });
});
