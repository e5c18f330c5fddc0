// The Raft core's one door: takes an input, applies the rule of terms, dispatches to the rules,
// packs the effects. Decisions live in election, leader, follower and reads. It must not know time
// beyond ticks.
import { assert } from './assert';
import {
  answerVote,
  ownVoteIsDurable,
  receiveVote,
  repeatVoteRequest,
  startCampaign,
  startPreVote,
} from './election';
import { answerOldLeader, receiveAppend, receiveHeartbeat } from './follower';
import {
  advanceCommit,
  checkQuorum,
  propose,
  receiveAppendResponse,
  stepDownStalled,
  transferLeadership,
  wakePeer,
} from './leader';
import { RaftNode } from './node';
import {
  confirmReads,
  forwardBatch,
  heartbeatTick,
  readIndex,
  receiveReadIndex,
  receiveReadIndexResponse,
} from './reads';
import { statusOf } from './status';
import type { HeartbeatResponse, RaftMessage, TimeoutNow, VoteRequest } from './messages';
import type { Raft, RaftConfig, RaftInput, RestoredState } from './types';

/**
 * A replica as its disk remembers it. A new one gets term 0, no vote, no entries and the initial
 * configuration.
 */
export function createRaft(config: RaftConfig, restored: RestoredState): Raft {
  const node = new RaftNode(config, restored);
  return {
    step: (input) => {
      dispatch(node, input);
      return node.finish();
    },
    status: () => statusOf(node),
  };
}

function dispatch(node: RaftNode, input: RaftInput): void {
  switch (input.kind) {
    case 'tick':
      return tick(node);
    case 'receive':
      return receive(node, input.message);
    case 'propose':
      return propose(node, input.proposals);
    case 'readIndex':
      return readIndex(node, input.context);
    case 'appended':
      return appended(node, input.id, input.lastIndex, input.lastTerm);
    case 'applied':
      return applied(node, input.index);
    case 'transferLeadership':
      node.out.transfer = transferLeadership(node, input.to);
      return;
    case 'diskStalled':
      return diskStalled(node);
    case 'proposeConfiguration':
      node.out.proposal({
        id: input.id,
        accepted: false,
        code: 'unsupported',
        leader: node.leader,
      });
      return;
    case 'compact':
      return;
  }
}

function tick(node: RaftNode): void {
  node.electionElapsed += 1;
  node.heartbeatElapsed += 1;
  const isHeartbeatDue = node.heartbeatElapsed >= node.config.heartbeatTicks;
  if (isHeartbeatDue) node.heartbeatElapsed = 0;
  if (node.role === 'leader') {
    if (node.electionElapsed >= node.config.electionTicks) leaderTimeout(node);
    if (isHeartbeatDue && node.role === 'leader') heartbeatTick(node);
    return;
  }
  if (node.electionElapsed >= node.electionTimeout) {
    if (node.isVoter && !node.isDiskStalled) startPreVote(node);
    else node.becomeFollower(node.term, null);
    return;
  }
  if (!isHeartbeatDue) return;
  // Asks again: the question or its answer may be lost.
  if (node.role === 'follower') forwardBatch(node);
  else repeatVoteRequest(node);
}

function leaderTimeout(node: RaftNode): void {
  node.electionElapsed = 0;
  if (node.transferringTo !== null) {
    node.out.trace({ kind: 'transferAborted', to: node.transferringTo });
    node.transferringTo = null;
  }
  checkQuorum(node);
}

function appended(node: RaftNode, id: number, lastIndex: number, lastTerm: number): void {
  if (!node.durability.complete(id, lastIndex, lastTerm)) {
    node.out.trace({ kind: 'completionDropped', id });
    return;
  }
  node.isDiskStalled = false;
  if (node.role === 'candidate' && node.ownVoteWrite !== null && id >= node.ownVoteWrite) {
    ownVoteIsDurable(node);
  }
  if (node.role === 'leader') advanceCommit(node);
}

function applied(node: RaftNode, index: number): void {
  assert(index <= node.applying, `applied ${index} was never handed out`);
  if (index > node.applied) node.applied = index;
}

function diskStalled(node: RaftNode): void {
  if (!node.durability.hasPending || node.isDiskStalled) return;
  node.isDiskStalled = true;
  node.out.trace({ kind: 'diskStalled' });
  if (node.role === 'leader') stepDownStalled(node);
  else if (node.role !== 'follower') node.becomeFollower(node.term, null, 'disk_stalled');
}

function receive(node: RaftNode, message: RaftMessage): void {
  if (message.term > node.term && !acceptHigherTerm(node, message)) return;
  if (message.term < node.term) {
    receiveOld(node, message);
    return;
  }
  receiveCurrent(node, message);
}

/** The rule of terms: a higher one ends ours. False when the message is not to be heard at all. */
function acceptHigherTerm(node: RaftNode, message: RaftMessage): boolean {
  switch (message.kind) {
    case 'preVote':
    case 'vote':
      if (!message.transfer && node.isLeaderAlive) {
        node.drop(message, 'leader_lives');
        return false;
      }
      if (message.kind === 'vote') node.becomeFollower(message.term, null, 'higher_term');
      return true;
    case 'preVoteResponse':
      // A grant repeats the term that we asked for, which is not anyone's yet.
      if (!message.granted) node.becomeFollower(message.term, null, 'higher_term');
      return true;
    case 'append':
    case 'heartbeat':
    case 'installSnapshot':
      node.becomeFollower(message.term, message.from, 'higher_term');
      return true;
    case 'voteResponse':
    case 'appendResponse':
    case 'heartbeatResponse':
    case 'readIndex':
    case 'readIndexResponse':
    case 'timeoutNow':
    case 'installSnapshotResponse':
      node.becomeFollower(message.term, null, 'higher_term');
      return true;
  }
}

function receiveOld(node: RaftNode, message: RaftMessage): void {
  switch (message.kind) {
    case 'preVote':
    case 'vote':
      refuseOldVote(node, message);
      return;
    case 'append':
    case 'heartbeat':
    case 'installSnapshot':
      answerOldLeader(node, message.from);
      return;
    default:
      node.drop(message, 'old_term');
  }
}

function refuseOldVote(node: RaftNode, request: VoteRequest): void {
  const isPreVote = request.kind === 'preVote';
  const { from: candidate, term } = request;
  node.out.trace({
    kind: 'voteAnswered',
    candidate,
    term,
    isPreVote,
    granted: false,
    reason: 'old_term',
  });
  node.out.sendAfterWrite(candidate, {
    kind: isPreVote ? 'preVoteResponse' : 'voteResponse',
    from: node.id,
    term: node.term,
    granted: false,
  });
}

/** The message is of our term, or a pre-vote matter of the next one. */
function receiveCurrent(node: RaftNode, message: RaftMessage): void {
  switch (message.kind) {
    case 'preVote':
    case 'vote':
      return answerVote(node, message);
    case 'preVoteResponse':
    case 'voteResponse':
      return receiveVote(node, message);
    case 'append':
      if (followSender(node, message)) receiveAppend(node, message);
      return;
    case 'heartbeat':
      if (followSender(node, message)) receiveHeartbeat(node, message);
      return;
    case 'appendResponse':
    case 'heartbeatResponse':
      return receiveFromPeer(node, message);
    case 'readIndex':
      return receiveReadIndex(node, message);
    case 'readIndexResponse':
      return receiveReadIndexResponse(node, message);
    case 'timeoutNow':
      return receiveTimeoutNow(node, message);
    case 'installSnapshot':
    case 'installSnapshotResponse':
      return node.drop(message, 'unsupported');
  }
}

/** The sender leads our term: campaigns end, the timer starts again. */
function followSender(node: RaftNode, message: RaftMessage): boolean {
  if (node.role === 'leader') {
    node.drop(message, 'second_leader');
    return false;
  }
  if (node.role !== 'follower') node.becomeFollower(node.term, message.from, 'leader_found');
  else if (node.leader !== message.from) node.becomeFollower(node.term, message.from);
  node.electionElapsed = 0;
  return true;
}

function receiveFromPeer(
  node: RaftNode,
  message: HeartbeatResponse | Extract<RaftMessage, { kind: 'appendResponse' }>,
): void {
  if (node.role !== 'leader') return;
  const peer = node.peers.get(message.from);
  if (peer === undefined) {
    node.drop(message, 'unknown_peer');
    return;
  }
  if (message.kind === 'appendResponse') {
    receiveAppendResponse(node, peer, message);
    return;
  }
  // A round that never started proves nothing, whoever claims it.
  if (message.round <= node.leaderReads.round) {
    peer.ackedRound = Math.max(peer.ackedRound, message.round);
  }
  wakePeer(node, peer);
  confirmReads(node);
}

function receiveTimeoutNow(node: RaftNode, message: TimeoutNow): void {
  const canCampaign = node.role === 'follower' && node.isVoter && !node.isDiskStalled;
  if (canCampaign) startCampaign(node, true);
  else node.drop(message, 'unsupported');
}
