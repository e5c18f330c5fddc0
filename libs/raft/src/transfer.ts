// Handing leadership over, by request or because this leader must stop (thesis §3.10). It must not
// know how the successor wins.
import type { RaftNode } from './node';
import type { Progress } from './progress';
import { sendAppend } from './replication';
import type { NodeId, TransferOutcome } from './types';

export function transferLeadership(node: RaftNode, to: NodeId | null): TransferOutcome {
  const refuse = (
    code: 'not_leader' | 'unknown_member' | 'already_leader' | 'no_candidate',
  ): TransferOutcome => ({ accepted: false, code, leader: node.leader });
  if (node.role !== 'leader') return refuse('not_leader');
  if (to === node.id) return refuse('already_leader');
  const peer = to === null ? successorOf(node) : node.peers.get(to);
  if (peer === undefined) return refuse(to === null ? 'no_candidate' : 'unknown_member');
  if (!canLead(node, peer)) return refuse('no_candidate');
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

/** Tells the peer to campaign once it holds everything. */
export function orderCampaign(node: RaftNode, peer: Progress): boolean {
  if (peer.matchIndex !== node.log.lastIndex) return false;
  order(node, peer);
  return true;
}

/** Who is told to campaign may do so late, in spite of any lease: there is none from now on. */
function order(node: RaftNode, peer: Progress): void {
  node.lease.forfeit();
  node.out.send(peer.id, { kind: 'timeoutNow', from: node.id, term: node.term });
}

/** Votes, will go on voting, and is whole. */
function canLead(node: RaftNode, peer: Progress): boolean {
  return node.configuration.incoming.includes(peer.id) && peer.recovery === null;
}

/** The voter whose log is longest, active ones first. */
function successorOf(node: RaftNode): Progress | undefined {
  let best: Progress | undefined;
  for (const peer of node.peers.values()) {
    if (!canLead(node, peer)) continue;
    if (best === undefined || rank(node, peer) > rank(node, best)) best = peer;
  }
  return best;
}

function rank(node: RaftNode, peer: Progress): number {
  return peer.matchIndex + (peer.isHeardBy(node) ? 0.5 : 0);
}

/** Stops leading at once, and lets whoever can take over do so without a timeout. */
export function handOver(node: RaftNode, reason: 'disk_stalled' | 'removed'): void {
  const successor = successorOf(node);
  if (successor !== undefined) order(node, successor);
  node.becomeFollower(node.term, null, reason);
}
