// Members whose logs were damaged. They have forgotten what they acknowledged, so they neither vote
// nor count until their leader has made sure that they hold all of it again. Beside it, the mark that
// their answers carry. It must not know what was damaged, nor how entries get there.
import type { RaftNode } from './node';
import { beginRecovery } from './own-recovery';
import type { PeerRecovery, Progress } from './progress';
import { quorumValue } from './quorum';
import type {
  AppendResponse,
  Heartbeat,
  HeartbeatResponse,
  InstallSnapshotResponse,
  RaftMessage,
} from './messages';

export type PeerAnswer = AppendResponse | HeartbeatResponse | InstallSnapshotResponse;

/**
 * On a member without a past: whoever speaks to it as to one that has voted or acknowledged before proves that its disk was
 * replaced. A member that is added starts as a learner without a past, and hears nothing of the kind.
 */
export function noticeLostPast(node: RaftNode, message: RaftMessage): void {
  if (!node.isNew || !showsPast(node, message)) return;
  if (node.role !== 'follower') node.becomeFollower(node.term, null);
  node.recovery = beginRecovery(node.config.random, true);
  node.out.trace({ kind: 'pastLost' });
}

function showsPast(node: RaftNode, message: RaftMessage): boolean {
  switch (message.kind) {
    case 'preVote':
    case 'vote':
      return message.lastIndex > 0;
    case 'heartbeat':
      // Never beyond what the leader knows this member to have held.
      return message.commit > 0;
    case 'append':
      // The first leader begins with the log's first entry; later ones at their log's end.
      return node.isVoter && message.prevIndex > 0;
    case 'installSnapshot':
      return node.isVoter;
    default:
      return false;
  }
}

/** Every answer of a recovering member says so. */
export function marked<T extends PeerAnswer>(node: RaftNode, answer: T): T {
  const { recovery } = node;
  if (recovery === null) return answer;
  const { token, isVoteLost } = recovery;
  return { ...answer, recovery: token, ...(isVoteLost ? { isVoteLost } : null) };
}

/** On the member: the leader says that it holds everything again. */
export function endOwnRecovery(node: RaftNode, { endsRecovery }: Heartbeat): void {
  if (node.recovery === null || endsRecovery !== node.recovery.token) return;
  node.recovery = null;
  node.out.trace({ kind: 'recoveryEnded' });
}

/**
 * On the leader, for each answer: notices recoveries and their ends. False when the answer is of the
 * peer's life before its log was damaged, and says nothing now.
 */
export function hearRecovery(node: RaftNode, peer: Progress, answer: PeerAnswer): boolean {
  const { recovery: token } = answer;
  if (token === undefined) return peer.recovery === null || hearEnd(node, peer, answer);
  if (peer.recovery?.token === token) return true;
  if (peer.endedRecoveries.has(token)) {
    node.drop(answer, 'recovering');
    return false;
  }
  const { lastIndex } = node.log;
  const isVoteLost = answer.isVoteLost === true;
  peer.startRecovery(
    { token, isVoteLost, floor: lastIndex, round: null, commit: 0, isEnding: false, endRound: 0 },
    lastIndex + 1,
  );
  node.out.trace({ kind: 'peerRecovering', peer: peer.id });
  return true;
}

/**
 * An answer without the mark may be older than the damage. Only one to a heartbeat that ended the
 * recovery, told by its round, is surely not.
 */
function hearEnd(node: RaftNode, peer: Progress, answer: PeerAnswer): boolean {
  const { recovery } = peer;
  const hasEnded =
    recovery?.isEnding === true &&
    answer.kind === 'heartbeatResponse' &&
    answer.round >= recovery.endRound;
  if (!hasEnded) {
    node.drop(answer, 'recovering');
    return false;
  }
  peer.endedRecoveries.add(recovery.token);
  peer.recovery = null;
  node.out.trace({ kind: 'peerRecovered', peer: peer.id });
  return true;
}

/** On the leader, at each heartbeat: true when a round must start that a recovery waits for. */
export function startRecoveryRounds(node: RaftNode): boolean {
  let isStarting = false;
  for (const { recovery } of node.peers.values()) {
    if (recovery === null) continue;
    if (recovery.isEnding && recovery.endRound > node.leaderReads.round) isStarting = true;
    if (recovery.round !== null) continue;
    recovery.round = node.leaderReads.round + 1;
    recovery.commit = node.commit;
    isStarting = true;
  }
  return isStarting;
}

/**
 * Ends a recovery once its round is confirmed and the peer durably holds everything that was
 * committed before the round, and everything that it may have acknowledged to this leader. All that
 * it had acknowledged to earlier leaders is among that: none of them was elected by its vote. A
 * forgotten vote may still elect someone in a later term, unless every other voter is heard in ours.
 */
export function settleRecoveries(node: RaftNode): void {
  for (const peer of node.peers.values()) {
    const { recovery } = peer;
    if (recovery === null || recovery.round === null || recovery.isEnding) continue;
    if (peer.matchIndex < Math.max(recovery.commit, recovery.floor)) continue;
    recovery.isEnding = isRoundConfirmed(node, recovery.round, recovery);
    recovery.endRound = node.leaderReads.round + 1;
  }
}

function isRoundConfirmed(node: RaftNode, round: number, { isVoteLost }: PeerRecovery): boolean {
  const acked = (id: string): number => ackedRoundOf(node, id);
  if (quorumValue(node.configuration, acked) < round) return false;
  if (!isVoteLost) return true;
  const { incoming, outgoing } = node.configuration;
  const isHeard = (id: string): boolean =>
    acked(id) >= round || (node.peers.get(id)?.recovery ?? null) !== null;
  return [...incoming, ...outgoing].every(isHeard);
}

/** The newest round that a member counts for. */
export function ackedRoundOf(node: RaftNode, id: string): number {
  if (id === node.id) return Infinity;
  const peer = node.peers.get(id);
  return peer === undefined || peer.recovery !== null ? 0 : peer.ackedRound;
}
