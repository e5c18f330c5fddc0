// The managers as they were seen lately: who leads, how far each log is, what elections there were. Pure: answers, silences
// and facts go in with the time at which they came.

import type { ClusterStatus, MemberStatus } from '@skein/contracts';

export type RaftRole = MemberStatus['role'] | 'unknown';

export interface Manager {
  readonly id: string;
  readonly role: RaftRole;
  /** The highest term that it was heard of with. */
  readonly term: number;
  readonly matchIndex: number;
  readonly lag: number;
  readonly healthy: boolean;
  readonly isVoter: boolean;
  readonly isRecovering: boolean;
  readonly diskLatencyMs: number | undefined;
  readonly snapshotIndex: number | undefined;
  readonly version: string | undefined;
  /** Its latest words about itself; undefined: it was not asked yet, null: it did not answer. */
  readonly own:
    Pick<ClusterStatus, 'role' | 'term' | 'lastIndex' | 'commitIndex'> | null | undefined;
}

export interface Election {
  readonly term: number;
  readonly leaderId: string;
  readonly at: number;
  /** For how long nobody was seen to lead before it; undefined where the page did not watch. */
  readonly withoutLeaderMs: number | undefined;
  /** It was over before the page looked. */
  readonly isFirstSeen: boolean;
}

/** One look at the cluster; a line of the charts. */
export interface Sample {
  readonly at: number;
  readonly commitIndex: number | null;
  readonly diskLatencyMs: Readonly<Record<string, number>>;
}

export interface Raft {
  readonly clusterId: string | undefined;
  readonly leaderId: string | null;
  readonly term: number;
  readonly commitIndex: number;
  readonly lastIndex: number;
  readonly firstIndex: number;
  readonly revision: number;
  readonly managers: readonly Manager[];
  readonly alarms: readonly string[];
  /** Since when nobody is seen to lead. */
  readonly leaderlessSince: number | null;
  /** Latest first. */
  readonly elections: readonly Election[];
  /** Oldest first. */
  readonly samples: readonly Sample[];
  readonly seenAt: number;
}

export const emptyRaft: Raft = {
  clusterId: undefined,
  leaderId: null,
  term: 0,
  commitIndex: 0,
  lastIndex: 0,
  firstIndex: 1,
  revision: 0,
  managers: [],
  alarms: [],
  leaderlessSince: null,
  elections: [],
  samples: [],
  seenAt: 0,
};

const maxSamples = 180;
const maxElections = 50;

export type RaftSight =
  | { readonly kind: 'cluster'; readonly at: number; readonly status: ClusterStatus }
  | { readonly kind: 'noLeader'; readonly at: number }
  | {
      readonly kind: 'replica';
      readonly at: number;
      readonly id: string;
      /** Null: it does not answer. */
      readonly status: ClusterStatus | null;
    }
  | {
      readonly kind: 'leaderChanged';
      readonly at: number;
      readonly term: number;
      readonly leaderId: string | null;
    };

export function afterSight(raft: Raft, sight: RaftSight): Raft {
  switch (sight.kind) {
    case 'cluster':
      return afterCluster(raft, sight.status, sight.at);
    case 'noLeader':
      return { ...leaderless(raft, sight.at), samples: sampled(raft, sight.at, null) };
    case 'replica':
      return afterReplica(raft, sight.id, sight.status, sight.at);
    case 'leaderChanged':
      if (sight.term < raft.term) return raft;
      if (sight.leaderId !== null) return elected(raft, sight.leaderId, sight.term, sight.at);
      return sight.term > raft.term || raft.leaderId !== null ? leaderless(raft, sight.at) : raft;
  }
}

function afterCluster(raft: Raft, status: ClusterStatus, at: number): Raft {
  // An answer that an election has overtaken on its way says nothing of now.
  if (status.term < raft.term || status.leaderId === null) return raft;
  const { configuration } = status;
  const former = new Map(raft.managers.map((manager) => [manager.id, manager]));
  const managers = status.members.map((member): Manager => {
    const own = former.get(member.id)?.own;
    return {
      id: member.id,
      role: member.role,
      term: Math.max(status.term, own?.term ?? 0),
      matchIndex: member.matchIndex,
      lag: member.lag,
      healthy: member.healthy,
      isVoter:
        configuration === undefined
          ? member.isLearner !== true
          : configuration.voters.includes(member.id),
      isRecovering: member.isRecovering ?? false,
      diskLatencyMs: member.diskLatencyMs,
      snapshotIndex: member.snapshotIndex,
      version: member.version,
      own,
    };
  });
  const next = elected(raft, status.leaderId, status.term, at);
  return {
    ...next,
    clusterId: status.clusterId,
    commitIndex: status.commitIndex,
    lastIndex: status.lastIndex,
    firstIndex: status.firstIndex ?? 1,
    revision: status.revision,
    managers,
    alarms: (status.alarms ?? []).map(({ alarm, replica }) =>
      replica === undefined ? alarm : `${alarm} on ${replica}`,
    ),
    samples: sampled({ ...raft, managers }, at, status.commitIndex),
    seenAt: at,
  };
}

function afterReplica(raft: Raft, id: string, status: ClusterStatus | null, at: number): Raft {
  const managers = raft.managers.map((manager): Manager => {
    if (manager.id !== id) return manager;
    if (status === null) return { ...manager, own: null, role: 'unreachable', healthy: false };
    const { role, term, lastIndex, commitIndex } = status;
    const own = { role, term, lastIndex, commitIndex };
    return { ...manager, own, role, term: Math.max(manager.term, term), matchIndex: lastIndex };
  });
  const next = { ...raft, managers };
  if (status?.role === 'leader' && status.term >= raft.term)
    return elected(next, id, status.term, at);
  if (status === null && id === raft.leaderId) return leaderless(next, at);
  return next;
}

function elected(raft: Raft, leaderId: string, term: number, at: number): Raft {
  const managers = raft.managers.map((manager) => {
    if (manager.id === leaderId) return { ...manager, role: 'leader' as const, term };
    return manager.role === 'leader' ? { ...manager, role: 'unknown' as const } : manager;
  });
  const next = { ...raft, managers, leaderId, term, leaderlessSince: null };
  if (raft.elections.some((each) => each.term === term)) return next;
  const { leaderlessSince } = raft;
  const withoutLeaderMs = leaderlessSince === null ? undefined : at - leaderlessSince;
  const isFirstSeen = raft.elections.length === 0;
  const election = { term, leaderId, at, withoutLeaderMs, isFirstSeen };
  return { ...next, elections: [election, ...raft.elections].slice(0, maxElections) };
}

function leaderless(raft: Raft, at: number): Raft {
  const managers = raft.managers.map((manager) =>
    manager.role === 'leader' ? { ...manager, role: 'unknown' as const } : manager,
  );
  return { ...raft, managers, leaderId: null, leaderlessSince: raft.leaderlessSince ?? at };
}

function sampled(raft: Raft, at: number, commitIndex: number | null): Sample[] {
  const diskLatencyMs = Object.fromEntries(
    commitIndex === null
      ? []
      : raft.managers.flatMap(({ id, diskLatencyMs: ms }) => (ms === undefined ? [] : [[id, ms]])),
  ) as Record<string, number>;
  return [...raft.samples, { at, commitIndex, diskLatencyMs }].slice(-maxSamples);
}

export interface QuorumMargin {
  readonly voters: number;
  readonly healthy: number;
  readonly needed: number;
  /** How many more voters may be lost; below 0: the quorum is lost. */
  readonly spare: number;
}

export function quorumMargin({ managers }: Pick<Raft, 'managers'>): QuorumMargin {
  const voters = managers.filter(({ isVoter }) => isVoter);
  const healthy = voters.filter((each) => each.healthy && !each.isRecovering).length;
  const needed = Math.floor(voters.length / 2) + 1;
  return { voters: voters.length, healthy, needed, spare: healthy - needed };
}

/** Entries committed a second, between one sample and the next; null where either says nothing. */
export function commitRates(samples: readonly Sample[]): (number | null)[] {
  return samples.map((sample, index) => {
    const before = samples[index - 1];
    if (before === undefined || before.commitIndex === null || sample.commitIndex === null)
      return null;
    const seconds = (sample.at - before.at) / 1_000;
    return seconds <= 0 ? null : Math.max(0, sample.commitIndex - before.commitIndex) / seconds;
  });
}
