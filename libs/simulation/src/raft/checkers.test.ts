// Each checker must be able to fail: small histories that break one rule, and the ones beside them
// that do not.
import { describe, expect, it } from '@jest/globals';
import type { LogEntry, RaftStatus } from '@skein/raft';
import { RaftCheckers, type ObservedReplica } from './checkers';

const entry = (index: number, term: number, data = ''): LogEntry => ({
  index,
  term,
  kind: 'command',
  data: new TextEncoder().encode(data),
});

class Member implements ObservedReplica {
  life = 1;
  log: LogEntry[] = [];
  durableLog: LogEntry[] = [];
  constructor(readonly id: string) {}

  holds(...terms: number[]): this {
    this.log = terms.map((term, i) => entry(i + 1, term));
    this.durableLog = this.log.slice();
    return this;
  }
}

const status = (term: number, commitIndex: number, appliedIndex = 0): RaftStatus =>
  ({ term, commitIndex, appliedIndex }) as RaftStatus;

function world(): {
  checkers: RaftCheckers;
  a: Member;
  b: Member;
  c: Member;
  rules: () => string[];
} {
  const [a, b, c] = [new Member('a'), new Member('b'), new Member('c')];
  const checkers = new RaftCheckers(
    () => 0,
    () => [a, b, c],
  );
  return { checkers, a, b, c, rules: () => checkers.violations.map((violation) => violation.rule) };
}

describe('raft checkers', () => {
  it('see two leaders of one term, also one that comes back after a restart', () => {
    const { checkers, a, b, rules } = world();
    checkers.becameLeader(a, 1);
    checkers.becameLeader(b, 2);
    expect(rules()).toEqual([]);
    checkers.becameLeader(b, 1);
    b.life += 1;
    checkers.becameLeader(b, 2);
    expect(rules()).toEqual(['election safety', 'election safety']);
  });

  it('see a second vote of a term', () => {
    const { checkers, rules } = world();
    checkers.voted('a', 1, 'b');
    checkers.voted('a', 1, 'b');
    checkers.voted('a', 2, 'c');
    expect(rules()).toEqual([]);
    checkers.voted('a', 1, 'c');
    expect(rules()).toEqual(['one vote a term']);
  });

  it('see logs that differ at the same place, or before it', () => {
    const { checkers, rules } = world();
    checkers.appended('a', entry(2, 2, 'x'), 1);
    checkers.appended('b', entry(2, 2, 'x'), 1);
    checkers.appended('b', entry(2, 3, 'z'), 1);
    expect(rules()).toEqual([]);
    checkers.appended('c', entry(2, 2, 'y'), 1);
    checkers.appended('c', entry(2, 2, 'x'), 2);
    expect(rules()).toEqual(['log matching', 'log matching']);
  });

  it('see a leader without what earlier terms committed, and spare late leaders of old terms', () => {
    const { checkers, a, b, c, rules } = world();
    a.holds(1, 3);
    b.holds(1, 3);
    checkers.stepped(a, status(3, 2));
    checkers.becameLeader(c, 2);
    expect(rules()).toEqual([]);
    checkers.becameLeader(c, 4);
    expect(rules()).toEqual(['leader completeness']);
  });

  it('see a commit that only a minority holds on disk', () => {
    const { checkers, a, b, rules } = world();
    a.holds(1);
    b.holds(1);
    b.durableLog = [];
    checkers.stepped(a, status(1, 1));
    expect(rules()).toEqual(['commit on quorum']);
  });

  it('see another entry committed at the same index', () => {
    const { checkers, a, b, c, rules } = world();
    a.holds(1);
    b.holds(1);
    c.holds(2);
    checkers.stepped(a, status(1, 1));
    checkers.stepped(b, status(1, 1));
    expect(rules()).toEqual([]);
    checkers.stepped(c, status(2, 1));
    expect(rules()).toEqual(['committed is immutable']);
  });

  it('see a commit beyond the log, and what goes back within a life', () => {
    const { checkers, a, b, rules } = world();
    a.holds(1);
    b.holds(1);
    checkers.stepped(a, status(2, 1));
    a.life += 1;
    checkers.stepped(a, status(1, 0));
    expect(rules()).toEqual([]);
    checkers.stepped(a, status(0, 0));
    checkers.stepped(b, status(1, 2));
    expect(rules()).toEqual(['monotone', 'state machine safety']);
  });

  it('see an application out of turn, or of what is not committed', () => {
    const { checkers, a, b, rules } = world();
    a.holds(1, 1);
    b.holds(1, 1);
    checkers.stepped(a, status(1, 2));
    checkers.applied('a', entry(1, 1), 1);
    expect(rules()).toEqual([]);
    checkers.applied('a', entry(2, 1), 3);
    checkers.applied('a', entry(2, 2), 2);
    expect(rules()).toEqual(['state machine safety', 'state machine safety']);
  });

  it('see an acknowledged write that is not committed', () => {
    const { checkers, a, b, rules } = world();
    a.holds(1);
    b.holds(1);
    checkers.stepped(a, status(1, 1));
    checkers.acknowledged(1, 1);
    expect(rules()).toEqual([]);
    checkers.acknowledged(1, 2);
    checkers.acknowledged(2, 1);
    expect(rules()).toEqual(['acknowledged is never lost', 'acknowledged is never lost']);
  });
});
