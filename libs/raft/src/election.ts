// Campaigns and votes: pre-vote (thesis §9.6), refusal while a leader lives (§4.2.3), the order of
// logs (Raft §5.4.1). It must not know how entries are replicated.
import { encodeConfiguration } from './codec';
import type { RaftNode } from './node';
import { membersOf, quorumVote } from './quorum';
import type { VoteRequest, VoteResponse } from './messages';
import { becomeLeader } from './leader';
import type { Configuration } from './types';

/** Asks whether a campaign could be won, without touching the term. */
export function startPreVote(node: RaftNode): void {
  const term = node.term + 1;
  node.leaveRole(node.term, null);
  node.role = 'preCandidate';
  node.leader = null;
  restartTimer(node);
  node.out.trace({ kind: 'campaignStarted', term, isPreVote: true });
  node.votes.set(node.id, true);
  if (quorumVote(node.configuration, node.votes) === 'won') {
    startCampaign(node, false);
    return;
  }
  askForVotes(node, 'preVote', false);
}

/**
 * Campaigns in the next term. The requests wait for the write: a vote won for entries or a term
 * that a crash may still take away would elect a leader without them (bug 11). A forced configuration
 * is the term's first entry, and in force for the campaign itself.
 */
export function startCampaign(node: RaftNode, transfer: boolean, forced?: Configuration): void {
  const term = node.term + 1;
  node.leaveRole(term, null);
  node.setTerm(term);
  node.role = 'candidate';
  node.leader = null;
  node.vote = node.id;
  restartTimer(node);
  node.out.trace({ kind: 'campaignStarted', term, isPreVote: false });
  node.isTransferCampaign = transfer;
  if (forced !== undefined) {
    const index = node.log.lastIndex + 1;
    node.append({ index, term, kind: 'configuration', data: encodeConfiguration(forced) });
  }
  askForVotes(node, 'vote', transfer);
}

/** Counts the candidate's own vote, once it is durable. */
export function ownVoteIsDurable(node: RaftNode): void {
  node.ownVoteWrite = null;
  node.votes.set(node.id, true);
  settleVotes(node);
}

/**
 * Answers a request whose term is not below ours. Ours has been raised already, unless it is a
 * pre-vote.
 */
export function answerVote(node: RaftNode, request: VoteRequest): void {
  const isPreVote = request.kind === 'preVote';
  const reason = refusalOf(node, request);
  const granted = reason === null;
  const answer: VoteResponse = {
    kind: isPreVote ? 'preVoteResponse' : 'voteResponse',
    from: node.id,
    // A granted pre-vote repeats the asked term; a refusal tells ours, so that a candidate left
    // behind catches up.
    term: granted ? request.term : node.term,
    granted,
  };
  const fact = {
    kind: 'voteAnswered',
    candidate: request.from,
    term: request.term,
    isPreVote,
    granted,
  } as const;
  node.out.trace(reason === null ? fact : { ...fact, reason });
  if (isPreVote) {
    node.out.send(request.from, answer);
    return;
  }
  if (granted) {
    node.vote = request.from;
    node.electionElapsed = 0;
  }
  node.out.sendAfterWrite(request.from, answer);
}

/**
 * Whether this member thinks that it is a voter does not matter: the candidate's configuration may be
 * newer (bug 4).
 */
function refusalOf(
  node: RaftNode,
  request: VoteRequest,
): 'voted_already' | 'log_behind' | 'recovering' | null {
  // It may have forgotten a vote, or entries that the candidate lacks.
  if (node.recovery !== null) return 'recovering';
  // A pre-vote for a later term binds nothing, so a vote given in the present term does not stand
  // against it.
  const isAhead = request.kind === 'preVote' && request.term > node.term;
  const isFree = node.vote === null && node.leader === null;
  if (!isAhead && !isFree && node.vote !== request.from) return 'voted_already';
  return node.log.isUpToDate(request.lastIndex, request.lastTerm) ? null : 'log_behind';
}

/** Takes an answer of the present term (a granted pre-vote: of the next one). */
export function receiveVote(node: RaftNode, response: VoteResponse): void {
  const isPreVote = response.kind === 'preVoteResponse';
  if (node.role !== (isPreVote ? 'preCandidate' : 'candidate')) return;
  if (isPreVote && response.granted && response.term !== node.term + 1) return;
  if (!node.votes.has(response.from)) node.votes.set(response.from, response.granted);
  settleVotes(node);
}

function settleVotes(node: RaftNode): void {
  const result = quorumVote(node.configuration, node.votes);
  if (result === 'pending') return;
  if (result === 'lost') node.becomeFollower(node.term, null);
  else if (node.role === 'preCandidate') startCampaign(node, false);
  else becomeLeader(node);
}

/**
 * Asks again those who have not answered: the request, or its answer, may be lost. Asking twice is
 * harmless.
 */
export function repeatVoteRequest(node: RaftNode): void {
  if (node.role === 'preCandidate') askForVotes(node, 'preVote', false);
  // Until the own vote is durable the first requests have not left yet.
  else if (node.ownVoteWrite === null) askForVotes(node, 'vote', node.isTransferCampaign);
}

function askForVotes(node: RaftNode, kind: VoteRequest['kind'], transfer: boolean): void {
  const term = kind === 'preVote' ? node.term + 1 : node.term;
  const { lastIndex, lastTerm } = node.log;
  const message: VoteRequest = { kind, from: node.id, term, lastIndex, lastTerm, transfer };
  const { incoming, outgoing } = node.configuration;
  for (const to of membersOf({ incoming, outgoing, learners: [] })) {
    if (to === node.id || node.votes.has(to)) continue;
    if (kind === 'preVote') node.out.send(to, message);
    else node.out.sendAfterWrite(to, message);
  }
}

function restartTimer(node: RaftNode): void {
  node.electionElapsed = 0;
  node.drawElectionTimeout();
}
