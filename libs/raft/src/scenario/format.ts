// Words for everything that a scenario shows: messages, writes, facts and states, one line each.
// Only for reading.
import type { RaftMessage } from '../messages';
import type {
  Configuration,
  LogEntry,
  LogWrite,
  ProposalOutcome,
  RaftStatus,
  RaftTrace,
  ReadOutcome,
  TransferOutcome,
} from '../types';

export function formatMessage(message: RaftMessage): string {
  const head = `${message.kind} term ${message.term}`;
  switch (message.kind) {
    case 'preVote':
    case 'vote': {
      const ordered = message.transfer ? ' by order' : '';
      return `${head} last ${message.lastIndex}@${message.lastTerm}${ordered}`;
    }
    case 'preVoteResponse':
    case 'voteResponse':
      return `${head} ${message.granted ? 'granted' : 'refused'}`;
    case 'append': {
      const { prevIndex, prevTerm, commit, entries } = message;
      return `${head} prev ${prevIndex}@${prevTerm} commit ${commit} entries ${formatEntries(entries)}`;
    }
    case 'appendResponse':
      return message.accepted
        ? `${head} matches ${message.index}${formatMark(message)}`
        : `${head} rejects ${message.index} hint ${message.hintIndex}@${message.hintTerm}${formatMark(message)}`;
    case 'heartbeat': {
      const ending = message.endsRecovery === undefined ? '' : ' ends recovery';
      return `${head} commit ${message.commit} round ${message.round}${ending}`;
    }
    case 'heartbeatResponse':
      return `${head} round ${message.round}${formatMark(message)}`;
    case 'readIndex':
      return head;
    case 'readIndexResponse':
      return `${head} ${message.confirmed ? `index ${message.index}` : 'refused'}`;
    case 'timeoutNow':
      return head;
    case 'installSnapshot': {
      const { snapshot, offset, size, data } = message;
      const bytes = `bytes ${offset}-${offset + data.length} of ${size}`;
      return `${head} snapshot ${snapshot.index}@${snapshot.term} ${bytes}`;
    }
    case 'installSnapshotResponse': {
      const wish = message.accepted ? `wants ${message.offset}` : 'damaged';
      return `${head} snapshot ${message.index} ${wish}${formatMark(message)}`;
    }
  }
}

function formatMark(message: { recovery?: number; isVoteLost?: boolean }): string {
  if (message.recovery === undefined) return '';
  return message.isVoteLost === true ? ' recovering, vote lost' : ' recovering';
}

/** `[n1 n2] from [n1] learners [n3] next [n4] left by itself`. */
export function formatConfiguration(configuration: Configuration): string {
  const { incoming, outgoing, learners, learnersNext = [], autoLeave } = configuration;
  const list = (ids: readonly string[]): string => `[${ids.join(' ')}]`;
  const parts = [list(incoming)];
  if (outgoing.length > 0) parts.push(`from ${list(outgoing)}`);
  if (learners.length > 0) parts.push(`learners ${list(learners)}`);
  if (learnersNext.length > 0) parts.push(`next ${list(learnersNext)}`);
  if (autoLeave === true) parts.push('left by itself');
  return parts.join(' ');
}

export function formatEntries(entries: readonly LogEntry[]): string {
  return `[${entries.map((entry) => `${entry.index}@${entry.term}`).join(' ')}]`;
}

export function formatWrite(write: LogWrite): string {
  const { hardState, truncateFrom, entries, then } = write;
  const parts = [`write #${write.id}`];
  if (hardState !== null) {
    const { term, vote, commit } = hardState;
    const state = hardState.isRecovering === true ? ' recovering' : '';
    parts.push(`term ${term} vote ${vote ?? '-'} commit ${commit}${state}`);
  }
  if (truncateFrom !== null) parts.push(`truncate from ${truncateFrom}`);
  if (entries.length > 0) parts.push(`entries ${formatEntries(entries)}`);
  if (then.length > 0) parts.push(`then ${then.map(({ message }) => message.kind).join(' ')}`);
  return parts.join(', ');
}

export function formatTrace(fact: RaftTrace): string {
  if (fact.kind === 'configurationChanged') {
    return `${fact.kind}: ${formatConfiguration(fact.configuration)} at ${fact.index}`;
  }
  const { kind, ...facts } = fact;
  const words = Object.entries(facts).map(([name, value]) => `${name} ${String(value ?? '-')}`);
  return [`${kind}:`, ...words].join(' ');
}

export function formatRead(outcome: ReadOutcome): string {
  return outcome.confirmed
    ? `read ${outcome.context} confirmed at ${outcome.index}`
    : `read ${outcome.context} refused: ${outcome.code}`;
}

export function formatProposal(outcome: ProposalOutcome): string {
  return outcome.accepted
    ? `proposal accepted at ${outcome.index}@${outcome.term}`
    : `proposal refused: ${outcome.code}, leader ${outcome.leader ?? '-'}`;
}

export function formatTransfer(outcome: TransferOutcome): string {
  return outcome.accepted ? `transfer to ${outcome.to}` : `transfer refused: ${outcome.code}`;
}

export function formatStatus(status: RaftStatus): string[] {
  const { id, role, term, vote, leader, lastIndex, lastTerm, durableIndex, commitIndex } = status;
  const lines = [
    `${id} ${role} term ${term} vote ${vote ?? '-'} leader ${leader ?? '-'}` +
      ` last ${lastIndex}@${lastTerm} durable ${durableIndex} commit ${commitIndex}` +
      ` applied ${status.appliedIndex}`,
  ];
  for (const peer of status.peers) {
    const { state, matchIndex, nextIndex, inflight } = peer;
    const pending =
      peer.pendingSnapshotIndex === undefined ? '' : ` snapshot ${peer.pendingSnapshotIndex}`;
    const mark = peer.isRecovering === true ? ' recovering' : '';
    lines.push(
      `  ${peer.id} ${state} match ${matchIndex} next ${nextIndex} inflight ${inflight}${pending}${mark}`,
    );
  }
  return lines;
}
