import { describe, expect, it } from '@jest/globals';
import type { ClusterStatus, MemberStatus } from '@skein/contracts';
import {
  afterSight,
  commitRates,
  emptyRaft,
  quorumMargin,
  type Raft,
  type RaftSight,
} from './raft';

function member(id: string, role: MemberStatus['role'], more: Partial<MemberStatus> = {}) {
  return { id, role, matchIndex: 40, lag: 0, healthy: role !== 'unreachable', ...more };
}

function status(term: number, leaderId: string, more: Partial<ClusterStatus> = {}): ClusterStatus {
  return {
    clusterId: 'c1',
    replicaId: leaderId,
    leaderId,
    term,
    role: 'leader',
    lastIndex: 40,
    commitIndex: 40,
    appliedIndex: 40,
    revision: 30,
    members: ['m1', 'm2', 'm3'].map((id) => member(id, id === leaderId ? 'leader' : 'follower')),
    ...more,
  };
}

const cluster = (at: number, seen: ClusterStatus): RaftSight => ({
  kind: 'cluster',
  at,
  status: seen,
});

function after(...sights: RaftSight[]): Raft {
  return sights.reduce(afterSight, emptyRaft);
}

const roles = (raft: Raft) => raft.managers.map(({ id, role }) => `${id} ${role}`);

describe('raft as the page sees it', () => {
  it('tells an election, and for how long nobody led', () => {
    const raft = after(
      cluster(1_000, status(4, 'm1')),
      { kind: 'replica', at: 1_500, id: 'm1', status: null },
      { kind: 'noLeader', at: 1_700 },
      { kind: 'replica', at: 1_800, id: 'm2', status: { ...status(5, 'm2'), role: 'candidate' } },
      { kind: 'leaderChanged', at: 2_100, term: 5, leaderId: 'm2' },
    );
    expect(raft).toMatchObject({ leaderId: 'm2', term: 5, leaderlessSince: null });
    expect(raft.elections).toEqual([
      { term: 5, leaderId: 'm2', at: 2_100, withoutLeaderMs: 600, isFirstSeen: false },
      { term: 4, leaderId: 'm1', at: 1_000, withoutLeaderMs: undefined, isFirstSeen: true },
    ]);
    expect(roles(raft)).toEqual(['m1 unreachable', 'm2 leader', 'm3 follower']);
  });

  it('shows who campaigns while nobody leads', () => {
    const raft = after(
      cluster(1_000, status(4, 'm1')),
      { kind: 'noLeader', at: 1_500 },
      {
        kind: 'replica',
        at: 1_600,
        id: 'm3',
        status: { ...status(4, 'm1'), role: 'preCandidate' },
      },
    );
    expect(raft.leaderId).toBeNull();
    expect(roles(raft)).toEqual(['m1 unknown', 'm2 follower', 'm3 preCandidate']);
  });

  it('passes over an answer that a later term has overtaken', () => {
    const raft = after(
      cluster(1_000, status(4, 'm1')),
      { kind: 'leaderChanged', at: 1_100, term: 5, leaderId: 'm2' },
      cluster(1_200, status(4, 'm1')),
      { kind: 'leaderChanged', at: 1_300, term: 4, leaderId: 'm1' },
    );
    expect(raft).toMatchObject({ leaderId: 'm2', term: 5 });
    expect(raft.elections.map(({ term }) => term)).toEqual([5, 4]);
  });

  it('keeps a silent follower from costing the leader its office', () => {
    const raft = after(cluster(1_000, status(4, 'm1')), {
      kind: 'replica',
      at: 1_100,
      id: 'm3',
      status: null,
    });
    expect(raft.leaderId).toBe('m1');
    expect(quorumMargin(raft)).toEqual({ voters: 3, healthy: 2, needed: 2, spare: 0 });
  });

  it('counts neither learners nor recovering managers to the quorum', () => {
    const members = [
      member('m1', 'leader'),
      member('m2', 'follower', { isRecovering: true }),
      member('m3', 'unreachable'),
      member('m4', 'learner', { isLearner: true }),
    ];
    const raft = after(cluster(1_000, status(4, 'm1', { members })));
    expect(quorumMargin(raft)).toEqual({ voters: 3, healthy: 1, needed: 2, spare: -1 });
  });

  it('draws no rate across a gap', () => {
    const raft = after(
      cluster(1_000, status(4, 'm1', { commitIndex: 40 })),
      cluster(2_000, status(4, 'm1', { commitIndex: 60 })),
      { kind: 'noLeader', at: 3_000 },
      cluster(5_000, status(5, 'm2', { commitIndex: 70 })),
    );
    expect(commitRates(raft.samples)).toEqual([null, 20, null, null]);
  });
});
