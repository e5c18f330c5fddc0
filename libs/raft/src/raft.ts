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
import { advanceCommit, checkQuorum, propose, receiveAppendResponse } from './leader';
import { proposeConfiguration, settleConfiguration } from './membership';
import { RaftNode } from './node';
import { forceConfiguration, forgetLeader } from './operator';
import {
  confirmReads,
  forwardBatch,
  heartbeatTick,
  readIndex,
  receiveReadIndex,
  receiveReadIndexResponse,
} from './reads';
import { hearRecovery, noticeLostPast, type PeerAnswer } from './recovery';
import { peerUnreachable, wakePeer } from './replication';
import {
  receiveInstallSnapshot,
  snapshotInstalled,
  snapshotRejected,
  snapshotStored,
} from './snapshot-receiver';
import { receiveSnapshotResponse, sendChunk } from './snapshot-sender';
import { statusOf } from './status';
import { handOver, transferLeadership } from './transfer';
import type { HeartbeatResponse, RaftMessage, TimeoutNow, VoteRequest } from './messages';
import type { Progress } from './progress';
import type { Raft, RaftConfig, RaftInput, RestoredState, SnapshotInput } from './types';

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
    snapshotHeader: (index) => node.snapshotHeader(index),
  };
}

function dispatch(node: RaftNode, input: RaftInput): void {
  switch (input.kind) {
    case 'tick':
      return tick(node, input.nowMs);
    case 'receive':
      return receive(node, input.message);
    case 'propose':
      return propose(node, input.proposals);
    case 'readIndex':
      return readIndex(node, input);
    case 'appended':
      return appended(node, input.id, input.lastIndex, input.lastTerm);
    case 'applied':
      return applied(node, input.index);
    case 'diskStalled':
      return diskStalled(node);
    case 'compact':
      return node.compactTo(input.index);
    case 'unreachable':
      return peerUnreachable(node, input.peer);
    case 'transferLeadership':
      node.out.transfer = transferLeadership(node, input.to);
      return;
    case 'proposeConfiguration':
      return proposeConfiguration(node, input.id, input.change);
    case 'forceConfiguration':
      return forceConfiguration(node, input.id, input.configuration);
    case 'forgetLeader':
      return forgetLeader(node);
    default:
      return dispatchSnapshot(node, input);
  }
}

function dispatchSnapshot(node: RaftNode, input: SnapshotInput): void {
  switch (input.kind) {
    case 'snapshotChunk':
      return sendChunk(node, input);
    case 'snapshotUnavailable':
      // The peer's answers to heartbeats bring the question up again.
      return;
    case 'snapshotStored':
      return snapshotStored(node, input);
    case 'snapshotInstalled':
      return snapshotInstalled(node, input);
    case 'snapshotRejected':
      return snapshotRejected(node, input);
  }
}

function tick(node: RaftNode, nowMs: number | undefined): void {
  node.tick(nowMs);
  const isHeartbeatDue = node.heartbeatElapsed >= node.config.heartbeatTicks;
  if (isHeartbeatDue) node.heartbeatElapsed = 0;
  if (node.role === 'leader') {
    if (node.electionElapsed >= node.config.electionTicks) leaderTimeout(node);
    if (isHeartbeatDue && node.role === 'leader') heartbeatTick(node);
    return;
  }
  if (node.electionElapsed >= node.electionTimeout && !node.isLeaderAlive) {
    if (node.canCampaign && node.config.priority > 0) startPreVote(node);
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
    settleConfiguration(node);
  }
  if (node.role === 'leader') checkQuorum(node);
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
  if (node.role === 'leader') handOver(node, 'disk_stalled');
  else if (node.role !== 'follower') node.becomeFollower(node.term, null, 'disk_stalled');
}

function receive(node: RaftNode, message: RaftMessage): void {
  noticeLostPast(node, message);
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
    case 'installSnapshotResponse':
      return receiveFromPeer(node, message);
    case 'readIndex':
      return receiveReadIndex(node, message);
    case 'readIndexResponse':
      return receiveReadIndexResponse(node, message);
    case 'timeoutNow':
      return receiveTimeoutNow(node, message);
    case 'installSnapshot':
      if (followSender(node, message)) receiveInstallSnapshot(node, message);
      return;
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
  node.heardLeader();
  return true;
}

function receiveFromPeer(node: RaftNode, message: PeerAnswer): void {
  if (node.role !== 'leader') return;
  const peer = node.peers.get(message.from);
  if (peer === undefined) {
    node.drop(message, 'unknown_peer');
    return;
  }
  if (!hearRecovery(node, peer, message)) return;
  peer.isActive = true;
  peer.heardAt = node.ticks;
  if (message.kind === 'appendResponse') receiveAppendResponse(node, peer, message);
  else if (message.kind === 'heartbeatResponse') receiveRound(node, peer, message);
  else receiveSnapshotResponse(node, peer, message);
}

function receiveRound(node: RaftNode, peer: Progress, { round }: HeartbeatResponse): void {
  // A round that never started proves nothing, whoever claims it.
  if (round <= node.leaderReads.round && round > peer.ackedRound) {
    peer.ackedRound = round;
    peer.ackedRoundMs = node.lease.sentAt(round);
  }
  wakePeer(node, peer);
  confirmReads(node);
}

function receiveTimeoutNow(node: RaftNode, message: TimeoutNow): void {
  if (node.role === 'follower' && node.canCampaign) startCampaign(node, true);
  else node.drop(message, 'unsupported');
}
