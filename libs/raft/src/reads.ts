// Read-index (Raft §6.4): a leader confirms its leadership by a heartbeat round that started after
// the read; a follower asks the leader. It must not know how the reads are served.
import type { RaftNode } from './node';
import { quorumValue } from './quorum';
import type { PendingRead } from './read-queues';
import { ackedRoundOf, settleRecoveries, startRecoveryRounds } from './recovery';
import type { Heartbeat, ReadIndexRequest, ReadIndexResponse } from './messages';
import type { ReadIndexInput } from './types';

export function readIndex(node: RaftNode, { context, lease }: ReadIndexInput): void {
  if (node.role === 'leader') {
    if (lease !== undefined && hasLease(node, lease.nowMs)) {
      node.out.read({ context, confirmed: true, index: node.commit });
      return;
    }
    leaderRead(node, { from: null, token: context });
    return;
  }
  if (node.leader === null) {
    node.out.read({ context, confirmed: false, code: 'no_leader', leader: null });
    return;
  }
  node.followerReads.queue(context);
  if (node.followerReads.startBatch()) forwardBatch(node);
}

export function forwardBatch(node: RaftNode): void {
  const { batch } = node.followerReads;
  if (batch === null || node.leader === null) return;
  node.out.send(node.leader, { kind: 'readIndex', from: node.id, term: node.term, batch });
}

export function receiveReadIndex(node: RaftNode, request: ReadIndexRequest): void {
  if (node.role === 'leader') {
    leaderRead(node, { from: request.from, token: request.batch });
    return;
  }
  answerBatch(node, { from: request.from, token: request.batch }, null);
}

export function receiveReadIndexResponse(node: RaftNode, response: ReadIndexResponse): void {
  const contexts = node.followerReads.take(response.batch);
  if (contexts === null) return;
  const { leader } = node;
  for (const context of contexts) {
    if (response.confirmed) node.out.read({ context, confirmed: true, index: response.index });
    else node.out.read({ context, confirmed: false, code: 'leader_changed', leader });
  }
  if (node.followerReads.startBatch()) forwardBatch(node);
}

function leaderRead(node: RaftNode, read: PendingRead): void {
  node.leaderReads.queue(read);
  if (!node.leaderReads.hasRound) startRound(node);
}

/**
 * Whether no other leader can have been elected by `nowMs`: a quorum has answered a round that was
 * sent less than a lease ago, and refuses its votes for longer than that. A clock that went back
 * proves nothing.
 */
export function hasLease(node: RaftNode, nowMs: number): boolean {
  if (node.role !== 'leader' || !node.lease.isPossible || !hasCommittedInTerm(node)) return false;
  if (node.transferringTo !== null || node.nowMs === null || nowMs < node.nowMs) return false;
  const acked = quorumValue(node.configuration, (id) => {
    if (id === node.id) return Infinity;
    const peer = node.peers.get(id);
    return peer === undefined || peer.recovery !== null ? -Infinity : peer.ackedRoundMs;
  });
  return node.lease.holds(acked, nowMs);
}

/**
 * Before an entry of the own term is committed, the leader may not know the newest commit: reads
 * wait (bug 17).
 */
function hasCommittedInTerm(node: RaftNode): boolean {
  return node.log.termAt(node.commit) === node.term;
}

/** Called when the commit index moved: reads that waited for the own term's first commit go on. */
export function releaseReads(node: RaftNode): void {
  if (node.leaderReads.hasQueued && !node.leaderReads.hasRound) startRound(node);
}

function startRound(node: RaftNode): void {
  if (!node.leaderReads.hasQueued || !hasCommittedInTerm(node)) return;
  node.leaderReads.startRound(node.commit);
  broadcastHeartbeat(node);
  confirmReads(node);
}

/** Takes the waiting reads along, and asks again for rounds whose answers were lost. */
export function heartbeatTick(node: RaftNode): void {
  settleRecoveries(node);
  const isOpen = hasCommittedInTerm(node);
  const isRecoveryWaiting = isOpen && startRecoveryRounds(node);
  if (node.leaderReads.hasQueued && isOpen) node.leaderReads.startRound(node.commit);
  else if (isRecoveryWaiting || node.lease.isPossible) node.leaderReads.startEmptyRound();
  if (node.nowMs !== null) node.lease.noteRound(node.leaderReads.round, node.nowMs);
  broadcastHeartbeat(node);
}

function broadcastHeartbeat(node: RaftNode): void {
  const { round } = node.leaderReads;
  let last: Heartbeat | null = null;
  for (const peer of node.peers.values()) {
    // Beyond its match the peer's log may differ from ours, and must not be committed there (bug
    // 15).
    const commit = Math.min(peer.matchIndex, node.commit);
    if (last === null || last.commit !== commit) {
      last = { kind: 'heartbeat', from: node.id, term: node.term, commit, round };
    }
    const { recovery } = peer;
    const isEnding = recovery !== null && recovery.isEnding;
    node.out.send(peer.id, isEnding ? { ...last, endsRecovery: recovery.token } : last);
  }
}

/** Confirms every round that a quorum has answered. */
export function confirmReads(node: RaftNode): void {
  if (!node.leaderReads.hasRound) return;
  const acked = quorumValue(node.configuration, (id) => ackedRoundOf(node, id));
  for (const { reads, index } of node.leaderReads.takeConfirmed(acked)) {
    for (const read of reads) {
      if (read.from !== null) answerBatch(node, read, index);
      else node.out.read({ context: read.token, confirmed: true, index });
    }
  }
  if (!node.leaderReads.hasRound) startRound(node);
}

function answerBatch(node: RaftNode, read: PendingRead, index: number | null): void {
  if (read.from === null) return;
  node.out.send(read.from, {
    kind: 'readIndexResponse',
    from: node.id,
    term: node.term,
    batch: read.token,
    index: index ?? 0,
    confirmed: index !== null,
  });
}
