// How a leader brings a peer forward whose next entry is gone (Raft §7): chunk by chunk of a snapshot
// that its driver reads, one under way at a time, repeated at the pace of heartbeats. It must not know
// what is in the bytes.
import type { RaftNode } from './node';
import type { Progress } from './progress';
import type { InstallSnapshotResponse } from './messages';
import type { SnapshotInput, SnapshotPlace } from './types';

export function startSnapshot(node: RaftNode, peer: Progress): void {
  peer.becomeSnapshot({ place: null, movedAt: node.ticks });
  const { id, state, matchIndex, nextIndex } = peer;
  node.out.trace({ kind: 'peerStateChanged', peer: id, state, matchIndex, nextIndex });
  askForChunk(node, peer, null);
}

function askForChunk(node: RaftNode, peer: Progress, resume: SnapshotPlace | null): void {
  if (peer.transfer === null) return;
  peer.transfer.movedAt = node.ticks;
  const { maxMessageBytes: maxBytes } = node.config;
  node.out.snapshot({ kind: 'read', to: peer.id, resume, maxBytes });
}

/** The driver has read a chunk, perhaps of another snapshot than the one asked for. */
export function sendChunk(
  node: RaftNode,
  chunk: Extract<SnapshotInput, { kind: 'snapshotChunk' }>,
): void {
  const transfer = node.peers.get(chunk.to)?.transfer ?? null;
  if (transfer === null) return;
  const { header, offset, size, data, crc } = chunk;
  transfer.place = { index: header.index, term: header.term, offset };
  transfer.movedAt = node.ticks;
  const { id: from, term } = node;
  node.out.send(chunk.to, {
    kind: 'installSnapshot',
    from,
    term,
    snapshot: header,
    offset,
    size,
    data,
    crc,
  });
}

export function receiveSnapshotResponse(
  node: RaftNode,
  peer: Progress,
  response: InstallSnapshotResponse,
): void {
  const place = peer.transfer?.place ?? null;
  // A repeated answer asks for what is under way already.
  if (place === null || response.index !== place.index) return;
  if (!response.accepted) {
    restartSnapshot(node, peer);
    return;
  }
  if (response.offset === place.offset) return;
  const next = { ...place, offset: response.offset };
  if (peer.transfer !== null) peer.transfer.place = next;
  askForChunk(node, peer, next);
}

export function restartSnapshot(node: RaftNode, peer: Progress): void {
  if (peer.transfer === null) return;
  peer.transfer.place = null;
  askForChunk(node, peer, null);
}

/** The peer lives but nothing has moved for an election timeout: chunk or answer are lost. */
export function repeatChunk(node: RaftNode, peer: Progress): void {
  const { transfer } = peer;
  if (transfer === null || node.ticks - transfer.movedAt < node.config.electionTicks) return;
  askForChunk(node, peer, transfer.place);
}
