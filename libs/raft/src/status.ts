// A snapshot of one replica's state for people and metrics. Nothing may decide on it.
import type { RaftNode } from './node';
import { hasLease } from './reads';
import type { RaftStatus } from './types';

export function statusOf(node: RaftNode): RaftStatus {
  return {
    id: node.id,
    role: node.role,
    term: node.term,
    vote: node.vote,
    leader: node.leader,
    firstIndex: node.log.firstIndex,
    lastIndex: node.log.lastIndex,
    lastTerm: node.log.lastTerm,
    durableIndex: node.durability.durableIndex,
    commitIndex: node.commit,
    appliedIndex: node.applied,
    configuration: node.configuration,
    configurationIndex: node.configurations.currentIndex,
    isRecovering: node.recovery !== null,
    isInstalling: node.installing !== null,
    priority: node.config.priority,
    hasLease: node.nowMs !== null && hasLease(node, node.nowMs),
    transferringTo: node.transferringTo,
    isDiskStalled: node.isDiskStalled,
    peers: [...node.peers.values()].map((peer) => ({
      id: peer.id,
      matchIndex: peer.matchIndex,
      nextIndex: peer.nextIndex,
      state: peer.state,
      isActive: peer.isHeardBy(node),
      inflight: peer.inflightCount,
      ...(peer.transfer?.place ? { pendingSnapshotIndex: peer.transfer.place.index } : null),
      ...(peer.recovery === null ? null : { isRecovering: true }),
    })),
  };
}
