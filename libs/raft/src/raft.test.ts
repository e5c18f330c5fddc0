// What a driver meets at the core's door, beside the scenarios: refusals, limits, restarts, and
// asserts on misuse.
import { describe, expect, it } from '@jest/globals';
import { createRaft } from './raft';
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
  it('hands out no more than the limit, and goes on as the applier reports', () => {
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

describe('what is not built yet', () => {
  it('refuses a change of members, and says so', () => {
    const { proposals } = lone().step({
      kind: 'proposeConfiguration',
      id: 5,
      configuration: fresh.configuration,
    });
    expect(proposals).toEqual([{ id: 5, accepted: false, code: 'unsupported', leader: null }]);
  });
});
