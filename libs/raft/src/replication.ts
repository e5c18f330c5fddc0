// How a leader brings its log to its peers: which entries go to whom, and when (Raft §5.3). It must
// not know what is committed by them, nor what they mean.
import type { RaftNode } from './node';
import type { Progress } from './progress';
import { entryBytes } from './raft-log';
import { repeatChunk, startSnapshot } from './snapshot-sender';
import type { AppendRequest } from './messages';
import type { LogEntry } from './types';

/** Appends an entry of the own term; who sends it is up to the caller. */
export function appendOwn(node: RaftNode, kind: LogEntry['kind'], data: Uint8Array): LogEntry {
  const entry: LogEntry = { index: node.log.lastIndex + 1, term: node.term, kind, data };
  node.append(entry);
  node.uncommittedBytes += entryBytes(entry);
  return entry;
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

/** Sends everything that the window has room for. */
export function fillWindow(node: RaftNode, peer: Progress): void {
  while (peer.state === 'replicate' && peer.nextIndex <= node.log.lastIndex) {
    if (sendAppend(node, peer, false, null) === null) return;
  }
}

/**
 * Sends one append unless the peer is paused. With a full window it goes without entries, once a
 * heartbeat's answer: it keeps commit moving and finds out about lost messages. `sendEmpty`: also
 * when there is nothing to add but news.
 */
export function sendAppend(
  node: RaftNode,
  peer: Progress,
  sendEmpty: boolean,
  reusable: AppendRequest | null,
): AppendRequest | null {
  if (peer.isPaused || peer.state === 'snapshot') return null;
  const isThrottled = peer.state === 'replicate' && peer.isWindowFull;
  const hasEntries = !isThrottled && peer.nextIndex <= node.log.lastIndex;
  if (!hasEntries && !sendEmpty) return null;
  const message = buildAppend(node, peer.nextIndex, hasEntries, reusable);
  if (message === null) {
    startSnapshot(node, peer);
    return null;
  }
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
  // Compacted away: only a snapshot helps. An unknown term is no term, least of all 0 (bug 16).
  if (prevTerm === null) return null;
  const entries = hasEntries
    ? node.log.slice(nextIndex, node.log.lastIndex, node.config.maxMessageBytes)
    : [];
  const { commit } = node;
  return { kind: 'append', from: node.id, term: node.term, prevIndex, prevTerm, commit, entries };
}

/** The peer has answered a heartbeat: whatever was lost on the way may go again. */
export function wakePeer(node: RaftNode, peer: Progress): void {
  peer.isPaused = false;
  if (peer.state === 'snapshot') return repeatChunk(node, peer);
  if (peer.matchIndex < node.log.lastIndex || peer.state === 'probe') {
    sendAppend(node, peer, true, null);
  }
}

export function tracePeer(node: RaftNode, peer: Progress, before: Progress['state']): void {
  if (peer.state === before) return;
  const { id, state, matchIndex, nextIndex } = peer;
  node.out.trace({ kind: 'peerStateChanged', peer: id, state, matchIndex, nextIndex });
}

/** The transport can't reach the peer: what is in flight to it is lost, so the logs must meet anew. */
export function peerUnreachable(node: RaftNode, id: string): void {
  const peer = node.peers.get(id);
  if (peer === undefined || peer.state !== 'replicate') return;
  peer.becomeProbe();
  tracePeer(node, peer, 'replicate');
}
