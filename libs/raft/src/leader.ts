// What a leader does: opens its term, takes proposals, counts acknowledgements, commits (Raft §5.3,
// §5.4.2, thesis §10.2.1). It must not know how it was elected, nor how entries reach the peers.
import { settleConfiguration } from './membership';
import type { RaftNode } from './node';
import type { Progress } from './progress';
import { quorumValue, quorumVote } from './quorum';
import { entryBytes } from './raft-log';
import { releaseReads } from './reads';
import { appendOwn, broadcastAppend, fillWindow, sendAppend, tracePeer } from './replication';
import { restartSnapshot } from './snapshot-sender';
import { orderCampaign } from './transfer';
import type { AppendResponse } from './messages';
import type { NodeId, Proposal, RefusalCode } from './types';

const noBytes = new Uint8Array(0);

export function becomeLeader(node: RaftNode): void {
  const { votes } = node;
  node.leaveRole(node.term, node.id);
  node.role = 'leader';
  node.leader = node.id;
  node.electionElapsed = 0;
  node.heartbeatElapsed = 0;
  node.out.trace({ kind: 'roleChanged', role: 'leader', term: node.term, leader: node.id });
  node.syncPeers(false);
  for (const peer of node.peers.values()) if (votes.has(peer.id)) peer.heardAt = node.ticks;
  for (let i = node.commit + 1; i <= node.log.lastIndex; i += 1) {
    node.uncommittedBytes += entryBytes(node.log.entryAt(i));
  }
  // An entry of the own term, so that everything before it can be committed with it (Raft §8).
  appendOwn(node, 'noop', noBytes);
  broadcastAppend(node);
}

export function propose(node: RaftNode, proposals: readonly Proposal[]): void {
  let count = 0;
  for (const { id, data } of proposals) {
    const code = refusalOf(node, data.length);
    if (code !== null) {
      node.out.proposal({ id, accepted: false, code, leader: node.leader });
      continue;
    }
    const { index, term } = appendOwn(node, 'command', data);
    node.out.proposal({ id, accepted: true, index, term });
    count += 1;
  }
  if (count > 0) broadcastAppend(node);
}

function refusalOf(node: RaftNode, bytes: number): RefusalCode | null {
  if (node.role !== 'leader') return 'not_leader';
  if (node.transferringTo !== null) return 'transferring';
  if (bytes > node.config.maxEntryBytes) return 'too_large';
  const isOver = node.uncommittedBytes + bytes > node.config.maxUncommittedBytes;
  return isOver && node.uncommittedBytes > 0 ? 'overloaded' : null;
}

/**
 * Something that acknowledges happened: our own disk, or a peer's answer. Commits and tells the
 * news.
 */
export function advanceCommit(node: RaftNode): void {
  const index = quorumValue(node.configuration, (id) => matchOf(node, id));
  if (index <= node.commit || index === Infinity) return;
  // Only an entry of the own term is committed by counting; older ones come along (Raft §5.4.2).
  if (node.log.termAt(index) !== node.term) return;
  node.commitTo(index);
  releaseReads(node);
  for (const peer of node.peers.values()) {
    if (peer.sentCommit < node.commit) sendAppend(node, peer, true, null);
  }
  settleConfiguration(node);
}

/**
 * Invariant: a leader counts itself only up to what its own disk holds (thesis §10.2.1), and nobody
 * whose log is being repaired.
 */
function matchOf(node: RaftNode, id: NodeId): number {
  if (id === node.id) return node.durability.durableIndex;
  const peer = node.peers.get(id);
  return peer === undefined || peer.recovery !== null ? 0 : peer.matchIndex;
}

export function receiveAppendResponse(
  node: RaftNode,
  peer: Progress,
  response: AppendResponse,
): void {
  const { state } = peer;
  if (!response.accepted) {
    const { index, hintIndex, hintTerm } = response;
    const meeting = node.log.lastIndexWithTermAtMost(hintIndex, hintTerm);
    if (peer.rejected(index, meeting)) {
      tracePeer(node, peer, state);
      sendAppend(node, peer, true, null);
    }
    return;
  }
  // What a peer claims beyond our log is not ours to count.
  if (response.index > node.log.lastIndex) {
    node.drop(response, 'beyond_log');
    return;
  }
  if (state === 'snapshot' && response.index + 1 < node.log.firstIndex) {
    receiveTooOld(node, peer, response.index);
    return;
  }
  const wasPaused = peer.isPaused;
  if (peer.accepted(response.index)) {
    tracePeer(node, peer, state);
    const { commit } = node;
    advanceCommit(node);
    if (node.commit === commit && wasPaused) sendAppend(node, peer, peer.sentCommit < commit, null);
  }
  fillWindow(node, peer);
  if (peer.id === node.transferringTo) orderCampaign(node, peer);
}

/** The peer took a snapshot, but the entries after that are gone as well by now. */
function receiveTooOld(node: RaftNode, peer: Progress, index: number): void {
  if (index <= peer.matchIndex) return;
  peer.matchIndex = index;
  restartSnapshot(node, peer);
}

/** Raft §6.2 of the thesis: a leader that hears no quorum within an election timeout gives up. */
export function checkQuorum(node: RaftNode): void {
  const heard = new Map<NodeId, boolean>([[node.id, true]]);
  for (const peer of node.peers.values()) {
    heard.set(peer.id, peer.isActive && peer.recovery === null);
    peer.isActive = false;
  }
  if (quorumVote(node.configuration, heard) === 'won') return;
  node.becomeFollower(node.term, null, 'quorum_lost');
}
