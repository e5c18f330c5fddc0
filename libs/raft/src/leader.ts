// What a leader does: opens its term, takes proposals, replicates, commits, hands over. (Raft §5.3,
// §5.4.2, thesis §3.10, §10.2.1.) It must not know how it was elected, nor how reads are queued.
import type { RaftNode } from './node';
import { Progress } from './progress';
import { membersOf, quorumValue, quorumVote } from './quorum';
import { entryBytes } from './raft-log';
import { releaseReads } from './reads';
import type { AppendRequest, AppendResponse } from './messages';
import type { LogEntry, NodeId, Proposal, RefusalCode, TransferOutcome } from './types';

const noBytes = new Uint8Array(0);

export function becomeLeader(node: RaftNode): void {
  node.leaveRole(node.term, node.id);
  node.role = 'leader';
  node.leader = node.id;
  node.electionElapsed = 0;
  node.heartbeatElapsed = 0;
  node.out.trace({ kind: 'roleChanged', role: 'leader', term: node.term, leader: node.id });
  for (const id of membersOf(node.configuration)) {
    if (id !== node.id) node.peers.set(id, new Progress(id, node.log.lastIndex + 1, node.config));
  }
  for (let i = node.commit + 1; i <= node.log.lastIndex; i += 1) {
    node.uncommittedBytes += entryBytes(node.log.entryAt(i));
  }
  // An entry of the own term, so that everything before it can be committed with it (Raft §8).
  appendOwn(node, 'noop', noBytes);
  broadcastAppend(node);
}

function appendOwn(node: RaftNode, kind: LogEntry['kind'], data: Uint8Array): LogEntry {
  const entry: LogEntry = { index: node.log.lastIndex + 1, term: node.term, kind, data };
  node.append(entry);
  node.uncommittedBytes += entryBytes(entry);
  return entry;
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
 * Sends every peer what it lacks; one message object serves all peers that are at the same place.
 */
export function broadcastAppend(node: RaftNode): void {
  let last: AppendRequest | null = null;
  for (const peer of node.peers.values()) {
    last = sendAppend(node, peer, true, last) ?? last;
    fillWindow(node, peer);
  }
}

function fillWindow(node: RaftNode, peer: Progress): void {
  while (peer.state === 'replicate' && peer.nextIndex <= node.log.lastIndex) {
    if (sendAppend(node, peer, false, null) === null) return;
  }
}

/**
 * Sends one append unless the peer is paused. With a full window it goes without entries, once a
 * heartbeat's answer: it keeps commit moving and finds out about lost messages. `sendEmpty`: also
 * when there is nothing to add but news.
 */
function sendAppend(
  node: RaftNode,
  peer: Progress,
  sendEmpty: boolean,
  reusable: AppendRequest | null,
): AppendRequest | null {
  if (peer.isPaused) return null;
  const isThrottled = peer.state === 'replicate' && peer.isWindowFull;
  const hasEntries = !isThrottled && peer.nextIndex <= node.log.lastIndex;
  if (!hasEntries && !sendEmpty) return null;
  const message = buildAppend(node, peer.nextIndex, hasEntries, reusable);
  if (message === null) return null;
  const { entries } = message;
  const lastIndex = message.prevIndex + entries.length;
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  peer.sent(lastIndex, entries.length, bytes);
  peer.sentCommit = node.commit;
  node.out.send(peer.id, message);
  return message;
}

function buildAppend(
  node: RaftNode,
  nextIndex: number,
  hasEntries: boolean,
  reusable: AppendRequest | null,
): AppendRequest | null {
  const prevIndex = nextIndex - 1;
  if (
    reusable !== null &&
    reusable.prevIndex === prevIndex &&
    reusable.commit === node.commit &&
    reusable.entries.length > 0 === hasEntries
  ) {
    return reusable;
  }
  const prevTerm = node.log.termAt(prevIndex);
  // Compacted away: only a snapshot helps.
  if (prevTerm === null) return null;
  const entries = hasEntries
    ? node.log.slice(nextIndex, node.log.lastIndex, node.config.maxMessageBytes)
    : [];
  const { commit } = node;
  return { kind: 'append', from: node.id, term: node.term, prevIndex, prevTerm, commit, entries };
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
}

/** Invariant: a leader counts itself only up to what its own disk holds (thesis §10.2.1). */
function matchOf(node: RaftNode, id: NodeId): number {
  if (id === node.id) return node.durability.durableIndex;
  return node.peers.get(id)?.matchIndex ?? 0;
}

export function receiveAppendResponse(
  node: RaftNode,
  peer: Progress,
  response: AppendResponse,
): void {
  peer.isActive = true;
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

export function wakePeer(node: RaftNode, peer: Progress): void {
  peer.isActive = true;
  peer.isPaused = false;
  if (peer.matchIndex < node.log.lastIndex || peer.state === 'probe') {
    sendAppend(node, peer, true, null);
  }
}

function tracePeer(node: RaftNode, peer: Progress, before: Progress['state']): void {
  if (peer.state === before) return;
  const { id, state, matchIndex, nextIndex } = peer;
  node.out.trace({ kind: 'peerStateChanged', peer: id, state, matchIndex, nextIndex });
}

/** Raft §6.2 of the thesis: a leader that hears no quorum within an election timeout gives up. */
export function checkQuorum(node: RaftNode): void {
  const heard = new Map<NodeId, boolean>([[node.id, true]]);
  for (const peer of node.peers.values()) {
    heard.set(peer.id, peer.isActive);
    peer.isActive = false;
  }
  if (quorumVote(node.configuration, heard) === 'won') return;
  node.becomeFollower(node.term, null, 'quorum_lost');
}

export function transferLeadership(node: RaftNode, to: NodeId | null): TransferOutcome {
  const refuse = (
    code: 'not_leader' | 'unknown_member' | 'already_leader' | 'no_candidate',
  ): TransferOutcome => ({ accepted: false, code, leader: node.leader });
  if (node.role !== 'leader') return refuse('not_leader');
  if (to === node.id) return refuse('already_leader');
  const peer = to === null ? successorOf(node) : node.peers.get(to);
  if (peer === undefined) return refuse(to === null ? 'no_candidate' : 'unknown_member');
  const { incoming, outgoing } = node.configuration;
  if (!incoming.includes(peer.id) && !outgoing.includes(peer.id)) return refuse('no_candidate');
  if (node.transferringTo !== null && node.transferringTo !== peer.id) {
    node.out.trace({ kind: 'transferAborted', to: node.transferringTo });
  }
  node.transferringTo = peer.id;
  // The transfer has one election timeout; the quorum check then ends it.
  node.electionElapsed = 0;
  node.out.trace({ kind: 'transferStarted', to: peer.id });
  if (!orderCampaign(node, peer)) sendAppend(node, peer, true, null);
  return { accepted: true, to: peer.id };
}

function orderCampaign(node: RaftNode, peer: Progress): boolean {
  if (peer.matchIndex !== node.log.lastIndex) return false;
  node.out.send(peer.id, { kind: 'timeoutNow', from: node.id, term: node.term });
  return true;
}

/** The voter whose log is longest, active ones first. */
function successorOf(node: RaftNode): Progress | undefined {
  let best: Progress | undefined;
  for (const peer of node.peers.values()) {
    if (node.configuration.learners.includes(peer.id)) continue;
    if (best === undefined || rank(peer) > rank(best)) best = peer;
  }
  return best;
}

function rank(peer: Progress): number {
  return peer.matchIndex + (peer.isActive ? 0.5 : 0);
}

/** The own disk stands still: hand over to whoever can take it, and stop leading at once. */
export function stepDownStalled(node: RaftNode): void {
  const successor = successorOf(node);
  if (successor !== undefined) {
    node.out.send(successor.id, { kind: 'timeoutNow', from: node.id, term: node.term });
  }
  node.becomeFollower(node.term, null, 'disk_stalled');
}
