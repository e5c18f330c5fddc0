// How a leader changes the members (Raft §6, thesis §4): one change at a time, after an entry of its
// own term is committed (bug 1), in force as soon as it is appended, and joint ones left exactly once.
// It must not know how a configuration follows from a wish.
import { encodeConfiguration } from './codec';
import { isJoint, leaveJoint, nextConfiguration } from './configuration-change';
import type { RaftNode } from './node';
import { appendOwn, broadcastAppend } from './replication';
import { handOver } from './transfer';
import type { Configuration, ConfigurationChange, NodeId, ProposalId, RefusalCode } from './types';

export function proposeConfiguration(
  node: RaftNode,
  id: ProposalId | undefined,
  change: ConfigurationChange,
): void {
  const next = judge(node, change);
  if (typeof next === 'string') {
    node.out.proposal({ id, accepted: false, code: next, leader: node.leader });
    return;
  }
  const { index, term } = appendOwn(node, 'configuration', encodeConfiguration(next));
  node.out.proposal({ id, accepted: true, index, term });
  broadcastAppend(node);
}

/** The next configuration, or why there is none now. */
function judge(node: RaftNode, change: ConfigurationChange): Configuration | RefusalCode {
  if (node.role !== 'leader') return 'not_leader';
  if (node.transferringTo !== null) return 'transferring';
  if (!hasOpenedTerm(node)) return 'term_not_opened';
  if (node.configurations.currentIndex > node.commit) return 'change_in_progress';
  const expected = change.kind === 'set' ? change.expectedIndex : undefined;
  if (expected !== undefined && expected !== node.configurations.currentIndex) {
    return 'configuration_changed';
  }
  const result = nextConfiguration(node.configuration, change);
  if ('code' in result) return result.code;
  const { configuration: next } = result;
  for (const id of next.incoming) {
    const code = node.configuration.incoming.includes(id) ? null : unfitness(node, id);
    if (code !== null) return code;
  }
  return next;
}

/** Until then an older leader's change may still be found to be committed (raft-dev, 2015). */
function hasOpenedTerm(node: RaftNode): boolean {
  return node.log.termAt(node.commit) === node.term;
}

/** A learner votes once it has nearly everything: a voter that lags makes commits wait. */
function unfitness(node: RaftNode, id: NodeId): 'learner_behind' | 'recovering' | null {
  const peer = node.peers.get(id);
  if (peer === undefined) return null;
  if (peer.recovery !== null) return 'recovering';
  const isNear = node.log.lastIndex - peer.matchIndex <= node.config.maxPromotionLag;
  const isFit = isNear && peer.state !== 'snapshot' && peer.isHeardBy(node);
  return isFit ? null : 'learner_behind';
}

/**
 * What the commit of a configuration asks for: leaving a joint one, on whichever leader sees it
 * committed (bug 32), and stepping down as a leader that is not part of it (bug 5).
 */
export function settleConfiguration(node: RaftNode): void {
  if (node.role !== 'leader' || node.configurations.currentIndex > node.commit) return;
  if (!node.isVoter) {
    handOver(node, 'removed');
    return;
  }
  const { configuration } = node;
  const isLeft = isJoint(configuration) && configuration.autoLeave === true;
  if (!isLeft || node.transferringTo !== null || !hasOpenedTerm(node)) return;
  appendOwn(node, 'configuration', encodeConfiguration(leaveJoint(configuration)));
  broadcastAppend(node);
}
