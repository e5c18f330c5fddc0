// What a driver meets at the core's door, beside the scenarios: refusals, limits, restarts, and
// asserts on misuse.
import { describe, expect, it } from '@jest/globals';
import { createRaft } from './raft';
import type { RaftMessage } from './messages';
import type { LogEntry, Raft, RaftConfig, RaftEffects, RestoredState } from './types';

const fresh: RestoredState = {
  hardState: { term: 0, vote: null, commit: 0 },
  entries: [],
  configuration: { incoming: ['n1'], outgoing: [], learners: [] },
};

function lone(config: Partial<RaftConfig> = {}, restored = fresh): Raft {
  return createRaft({ id: 'n1', random: () => 0, ...config }, restored);
}

/** Completes the write of a step, and those that it leads to; gives every effect on the way. */
function complete(raft: Raft, effects: RaftEffects): RaftEffects[] {
  const { append } = effects;
  if (append === null) return [effects];
  const { id, lastIndex, lastTerm } = append;
  return [effects, ...complete(raft, raft.step({ kind: 'appended', id, lastIndex, lastTerm }))];
}

function elect(raft: Raft): void {
  for (let i = 0; i < 10; i += 1) complete(raft, raft.step({ kind: 'tick' }));
  expect(raft.status().role).toBe('leader');
}

const propose = (raft: Raft, ...sizes: number[]): RaftEffects =>
  raft.step({
    kind: 'propose',
    proposals: sizes.map((size, id) => ({ id, data: new Uint8Array(size) })),
  });

describe('proposals', () => {
  it('are refused by a follower, with their ids', () => {
    const { proposals } = propose(lone(), 1, 1);
    expect(proposals).toEqual([
      { id: 0, accepted: false, code: 'not_leader', leader: null },
      { id: 1, accepted: false, code: 'not_leader', leader: null },
    ]);
  });

  it('share one write', () => {
    const raft = lone();
    elect(raft);
    const effects = propose(raft, 1, 2, 3);
    expect(effects.append?.entries.map((entry) => entry.index)).toEqual([2, 3, 4]);
    expect(effects.proposals.map((outcome) => outcome.accepted)).toEqual([true, true, true]);
  });

  it('are refused when too large, one by one', () => {
    const raft = lone({ maxEntryBytes: 10 });
    elect(raft);
    const { proposals } = propose(raft, 10, 11, 10);
    expect(proposals.map((outcome) => outcome.accepted || outcome.code)).toEqual([
      true,
      'too_large',
      true,
    ]);
  });

  it('are refused over the uncommitted limit, and taken again once all is committed (bug 29)', () => {
    const raft = lone({ maxUncommittedBytes: 100 });
    elect(raft);
    for (let round = 0; round < 5; round += 1) {
      const effects = propose(raft, 60, 60);
      const outcomes = effects.proposals.map((outcome) => outcome.accepted || outcome.code);
      expect(outcomes).toEqual([true, 'overloaded']);
      complete(raft, effects);
    }
  });
});

describe('apply', () => {
  it('hands out no more than the limit, and goes on as the applier reports (bug 33)', () => {
    const raft = lone({ maxApplyingEntries: 2 });
    elect(raft);
    raft.step({ kind: 'applied', index: 1 });
    const effects = complete(raft, propose(raft, 1, 1, 1));
    const indexes = (list: RaftEffects[]): number[] =>
      list.flatMap((each) => each.apply.map((entry) => entry.index));
    expect(indexes(effects)).toEqual([2, 3]);
    expect(indexes([raft.step({ kind: 'applied', index: 3 })])).toEqual([4]);
  });

  it('asserts that only what was handed out is reported', () => {
    expect(() => lone().step({ kind: 'applied', index: 1 })).toThrow('raft:');
  });
});

describe('restart', () => {
  const entries = [1, 1, 2].map((term, i): LogEntry => ({
    index: i + 1,
    term,
    kind: 'noop',
    data: new Uint8Array(),
  }));
  const stored = { ...fresh, entries, hardState: { term: 2, vote: 'n1', commit: 1 } };

  it('applies again after the index that the state machine has kept', () => {
    const raft = lone({}, { ...stored, applied: 2 });
    expect(raft.status()).toMatchObject({
      commitIndex: 2,
      appliedIndex: 2,
      vote: 'n1',
      lastTerm: 2,
    });
    const { apply } = raft.step({ kind: 'tick' });
    expect(apply).toEqual([]);
  });

  it('opens a new term, in which all of the old ones are committed', () => {
    const raft = lone({}, stored);
    elect(raft);
    expect(raft.status()).toMatchObject({ term: 3, commitIndex: 4 });
  });

  it('starts after a snapshot', () => {
    const { configuration } = fresh;
    const snapshot = { index: 7, term: 2, configuration };
    const raft = lone({}, { ...fresh, hardState: { term: 2, vote: null, commit: 7 }, snapshot });
    elect(raft);
    expect(raft.status()).toMatchObject({ firstIndex: 8, lastIndex: 8, commitIndex: 8 });
  });

  it.each([
    ['a commit index beyond the log', { ...stored, hardState: { term: 2, vote: null, commit: 4 } }],
    [
      'a log ahead of the stored term',
      { ...stored, hardState: { term: 1, vote: null, commit: 1 } },
    ],
    ['a log with a gap', { ...stored, entries: entries.slice(1) }],
  ])('asserts on %s', (_name, restored) => {
    expect(() => lone({}, restored)).toThrow('raft:');
  });
});

describe('a member that is no voter', () => {
  it('never campaigns', () => {
    const configuration = { incoming: ['n2'], outgoing: [], learners: ['n1'] };
    const raft = lone({}, { ...fresh, configuration });
    for (let i = 0; i < 100; i += 1) expect(raft.step({ kind: 'tick' }).send).toEqual([]);
    expect(raft.status().term).toBe(0);
  });
});

describe('priority', () => {
  const ticksToCampaign = (priority: number, draw: number): number => {
    const raft = lone({ priority, random: () => draw });
    for (let ticks = 1; ticks < 100; ticks += 1) {
      const { trace } = raft.step({ kind: 'tick' });
      if (trace.some((fact) => fact.kind === 'campaignStarted')) return ticks;
    }
    return Infinity;
  };

  it.each([
    [100, 0.99, 10],
    [75, 0.9, 14],
    [50, 0, 10],
    [50, 0.9, 19],
    [25, 0, 15],
    [25, 0.9, 24],
    [1, 0, 19],
    [0, 0, Infinity],
  ])('%d with a draw of %d campaigns after %d ticks', (priority, draw, ticks) => {
    expect(ticksToCampaign(priority, draw)).toBe(ticks);
  });

  it('asserts that it is from 0 to 100', () => {
    expect(() => lone({ priority: 101 })).toThrow('raft:');
  });
});

describe('a burst of ticks', () => {
  it('starts one campaign at most, and none that a live leader would not survive (bug 40)', () => {
    const configuration = { incoming: ['n1', 'n2', 'n3'], outgoing: [], learners: [] };
    const raft = lone({}, { ...fresh, configuration });
    const effects = Array.from({ length: 15 }, () => raft.step({ kind: 'tick' }));
    const facts = effects.flatMap(({ trace }) => trace);
    expect(facts.filter((fact) => fact.kind === 'campaignStarted')).toHaveLength(1);
    expect(raft.status().term).toBe(0);
  });
});

describe('a peer', () => {
  const configuration = { incoming: ['n1', 'n2', 'n3'], outgoing: [], learners: [] };
  const receive = (raft: Raft, message: RaftMessage): RaftEffects[] =>
    complete(raft, raft.step({ kind: 'receive', message }));
  const active = (raft: Raft): string[] =>
    raft.status().peers.flatMap((peer) => (peer.isActive ? [peer.id] : []));

  it('is active while it is heard, quorum checks or not, from the vote on', () => {
    const raft = lone({}, { ...fresh, configuration });
    for (let tick = 0; tick < 10; tick += 1) complete(raft, raft.step({ kind: 'tick' }));
    for (const [kind, term] of [
      ['preVoteResponse', 1],
      ['voteResponse', 1],
    ] as const) {
      receive(raft, { kind, from: 'n2', term, granted: true });
    }
    expect(raft.status().role).toBe('leader');
    expect(active(raft)).toEqual(['n2']);
    for (let tick = 0; tick < 50; tick += 1) {
      complete(raft, raft.step({ kind: 'tick' }));
      expect({ tick, active: active(raft) }).toEqual({ tick, active: ['n2'] });
      receive(raft, { kind: 'heartbeatResponse', from: 'n2', term: 1, round: 0 });
    }
    for (let tick = 0; tick < 9; tick += 1) complete(raft, raft.step({ kind: 'tick' }));
    expect(active(raft)).toEqual(['n2']);
    raft.step({ kind: 'tick' });
    expect(active(raft)).toEqual([]);
  });
});

describe('a damaged log', () => {
  const entry: LogEntry = { index: 1, term: 3, kind: 'noop', data: new Uint8Array() };

  it('starts with less than was committed, says so, and stores that it recovers', () => {
    const hardState = { term: 2, vote: null, commit: 9, isRecovering: true };
    const raft = lone({}, { ...fresh, hardState, entries: [entry] });
    expect(raft.status()).toMatchObject({ isRecovering: true, commitIndex: 1, term: 3 });
    for (let i = 0; i < 50; i += 1) raft.step({ kind: 'tick' });
    expect(raft.status()).toMatchObject({ role: 'follower', term: 3 });
    const message = { kind: 'heartbeat', from: 'n2', term: 4, commit: 0, round: 1 } as const;
    const { append, send } = raft.step({ kind: 'receive', message });
    expect(append?.hardState).toEqual({ term: 4, vote: null, commit: 1, isRecovering: true });
    expect(send[0]?.message).toMatchObject({ recovery: expect.any(Number) });
  });

  it('is whole only when its own recovery is ended, not an earlier one', () => {
    const hardState = { term: 4, vote: null, commit: 1, isRecovering: true };
    const raft = lone({ random: () => 0.5 }, { ...fresh, hardState, entries: [entry] });
    const message = { kind: 'heartbeat', from: 'n2', term: 4, commit: 0, round: 1 } as const;
    const { send } = raft.step({ kind: 'receive', message });
    const answer = send[0]?.message;
    const token = answer?.kind === 'heartbeatResponse' ? (answer.recovery ?? 0) : 0;
    const end = (endsRecovery: number): RaftEffects =>
      raft.step({ kind: 'receive', message: { ...message, endsRecovery } });
    expect(end(token + 1).append).toBeNull();
    expect(raft.status().isRecovering).toBe(true);
    expect(end(token).append?.hardState).toEqual({ term: 4, vote: null, commit: 1 });
    expect(raft.status().isRecovering).toBe(false);
  });
});

describe('bytes in flight', () => {
  it('are free again after a probe: replication goes on (bug 29)', () => {
    const configuration = { incoming: ['n1'], outgoing: [], learners: ['n2'] };
    const raft = lone({ maxInflightBytes: 100 }, { ...fresh, configuration });
    elect(raft);
    const receive = (index: number, accepted: boolean): RaftEffects => {
      const hint = accepted ? 0 : index - 1;
      return raft.step({
        kind: 'receive',
        message: {
          kind: 'appendResponse',
          from: 'n2',
          term: 1,
          accepted,
          index,
          hintIndex: hint,
          hintTerm: hint === 0 ? 0 : 1,
        },
      });
    };
    receive(1, true);
    for (let round = 1; round <= 5; round += 1) {
      complete(raft, propose(raft, 90, 90));
      expect(raft.status().peers[0]?.inflight).toBeGreaterThan(0);
      const { lastIndex } = raft.status();
      receive(lastIndex, false);
      expect(raft.status().peers[0]).toMatchObject({ state: 'probe', inflight: 0 });
      receive(lastIndex, true);
      expect(raft.status().peers[0]).toMatchObject({ state: 'replicate', matchIndex: lastIndex });
    }
  });
});
