// What one replica says about itself and, as far as it knows, about the others. Only translates.

import type { ClusterConfiguration, ClusterStatus, MemberStatus } from '@skein/contracts';
import type { PeerStatus, RaftStatus } from '@skein/raft';
import type { MemberStanding } from '@skein/replica';
import type { ConsensusConfiguration } from './consensus.config';
import { programVersion } from './replica-start';
import type { Replica } from './replica.actor';

export function statusOf(replica: Replica, config: ConsensusConfiguration): ClusterStatus {
  const { clusterId, replicaId } = config;
  if (replica.isLocked) return lockedStatus(clusterId, replicaId);
  const { core, store, repair, size } = replica;
  const raft = standing(core.status(), replica.fencedBy > 0);
  const state = store.status;
  return {
    clusterId,
    replicaId,
    leaderId: raft.leader,
    term: raft.term,
    role: raft.role === 'follower' && isLearner(raft, replicaId) ? 'learner' : raft.role,
    lastIndex: raft.lastIndex,
    commitIndex: raft.commitIndex,
    appliedIndex: state.appliedIndex,
    revision: state.revision,
    members: membersOf(replica, raft),
    configuration: configurationOf(raft),
    epoch: replica.epoch,
    version: programVersion,
    protocolVersion: state.protocolVersion,
    compactRevision: state.compactRevision,
    keys: state.keys,
    bytes: state.bytes,
    quotaBytes: state.quotaBytes,
    ...(size === undefined ? {} : { logBytes: size.logBytes, snapshotBytes: size.snapshotBytes }),
    snapshotIndex: core.snapshotIndex,
    firstIndex: raft.firstIndex,
    diskLatencyMs: replica.diskLatencyMs,
    alarms: state.alarms.map((alarm) => ({ ...alarm })),
    stateHash: state.stateHash,
    isRecovering: raft.isRecovering,
    isInstalling: raft.isInstalling,
    isLocked: false,
    isEncrypted: config.encryption !== 'off',
    ...(repair === null ? {} : { repair: { ...repair } }),
  };
}

/** One that its cluster has left behind leads and follows nobody, whatever it was when it learned of that. */
function standing(raft: RaftStatus, isFenced: boolean): RaftStatus {
  return isFenced ? { ...raft, role: 'follower', leader: null, peers: [] } : raft;
}

export function configurationOf({
  configuration: { incoming, outgoing, learners },
  configurationIndex: index,
}: Pick<RaftStatus, 'configuration' | 'configurationIndex'>): ClusterConfiguration {
  return { voters: [...incoming], outgoing: [...outgoing], learners: [...learners], index };
}

function lockedStatus(clusterId: string, replicaId: string): ClusterStatus {
  return {
    clusterId,
    replicaId,
    leaderId: null,
    term: 0,
    role: 'follower',
    lastIndex: 0,
    commitIndex: 0,
    appliedIndex: 0,
    revision: 0,
    members: [],
    version: programVersion,
    isLocked: true,
    isEncrypted: true,
  };
}

function membersOf({ core }: Replica, raft: RaftStatus): MemberStatus[] {
  const { id, role, lastIndex, durableIndex, peers } = raft;
  const self: MemberStatus = {
    id,
    role: role === 'follower' && isLearner(raft, id) ? 'learner' : role,
    matchIndex: durableIndex,
    lag: lastIndex - durableIndex,
    healthy: !raft.isDiskStalled && !core.isRemoved,
    isLearner: isLearner(raft, id),
    isRecovering: raft.isRecovering,
    ...standingFields(core.standingOf(id)),
  };
  const others = peers.map((peer) => peerStatus(peer, raft, core.standingOf(peer.id)));
  return [self, ...others].sort((one, other) => (one.id < other.id ? -1 : 1));
}

function peerStatus(
  peer: PeerStatus,
  raft: RaftStatus,
  standing: MemberStanding | undefined,
): MemberStatus {
  const { id, isActive, matchIndex, pendingSnapshotIndex, isRecovering = false } = peer;
  const learns = isLearner(raft, id);
  return {
    id,
    role: isActive ? (learns ? 'learner' : 'follower') : 'unreachable',
    matchIndex,
    lag: raft.lastIndex - matchIndex,
    healthy: isActive && !isRecovering,
    isLearner: learns,
    isRecovering,
    ...(pendingSnapshotIndex === undefined ? {} : { pendingSnapshotIndex }),
    ...standingFields(standing),
  };
}

function standingFields(standing: MemberStanding | undefined): Partial<MemberStatus> {
  if (standing === undefined) return {};
  const { priority, version, protocolMax, diskLatencyMs, snapshotIndex } = standing;
  return { priority, version, protocolMax, diskLatencyMs, snapshotIndex };
}

function isLearner({ configuration }: RaftStatus, id: string): boolean {
  return configuration.learners.includes(id);
}
