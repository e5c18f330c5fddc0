// What a follower does with its leader's messages: match, truncate only at a real conflict, append,
// commit (Raft §5.3). Acknowledgements wait for the log. It must not know votes or how leaders
// count.
import { assert } from './assert';
import type { RaftNode } from './node';
import { endOwnRecovery, marked } from './recovery';
import type { AppendRequest, AppendResponse, Heartbeat } from './messages';

export function receiveAppend(node: RaftNode, request: AppendRequest): void {
  const { prevIndex, prevTerm, entries } = request;
  if (node.installing !== null) {
    node.drop(request, 'installing');
    return;
  }
  if (prevIndex < node.commit) {
    // Late or repeated: what is committed here matches every leader.
    acknowledge(node, request.from, node.commit);
    return;
  }
  if (node.log.termAt(prevIndex) !== prevTerm) {
    reject(node, request);
    return;
  }
  const lastNew = prevIndex + entries.length;
  appendMissing(node, request);
  // Never beyond what this message has proven to match, however far the leader is (bug 15).
  node.commitTo(Math.min(request.commit, lastNew));
  acknowledge(node, request.from, lastNew);
}

/**
 * Entries that match stay: an old append must not cut off newer ones that are already acknowledged
 * (bug 14).
 */
function appendMissing(node: RaftNode, { entries }: AppendRequest): void {
  let at = 0;
  for (; at < entries.length; at += 1) {
    const entry = entries[at];
    assert(entry !== undefined, 'a hole in the entries');
    const term = node.log.termAt(entry.index);
    if (term === entry.term) continue;
    if (term !== null) node.truncateFrom(entry.index);
    break;
  }
  for (; at < entries.length; at += 1) {
    const entry = entries[at];
    assert(entry !== undefined, 'a hole in the entries');
    node.append(entry);
  }
}

/** Says, once it is durable, that the log matches the leader's up to `index`. */
export function acknowledge(node: RaftNode, to: string, index: number): void {
  const answer: AppendResponse = {
    kind: 'appendResponse',
    from: node.id,
    term: node.term,
    accepted: true,
    index,
    hintIndex: 0,
    hintTerm: 0,
  };
  node.out.sendAfterWrite(to, marked(node, answer));
}

/**
 * The hint skips, in one answer, all entries of terms that the leader cannot hold there. Below the
 * commit index there is nothing to look for: all logs agree.
 */
function reject(node: RaftNode, { from, prevIndex, prevTerm }: AppendRequest): void {
  const meeting = node.log.lastIndexWithTermAtMost(prevIndex, prevTerm);
  const hintIndex = Math.max(meeting, node.commit);
  const hintTerm = node.log.termAt(hintIndex) ?? 0;
  node.out.trace({ kind: 'appendRejected', leader: from, prevIndex, hintIndex });
  const { id, term } = node;
  const answer: AppendResponse = {
    kind: 'appendResponse',
    from: id,
    term,
    accepted: false,
    index: prevIndex,
    hintIndex,
    hintTerm,
  };
  node.out.sendAfterWrite(from, marked(node, answer));
}

export function receiveHeartbeat(node: RaftNode, heartbeat: Heartbeat): void {
  endOwnRecovery(node, heartbeat);
  if (node.installing === null) {
    if (heartbeat.commit <= node.log.lastIndex) node.commitTo(heartbeat.commit);
    else node.drop(heartbeat, 'beyond_log');
  }
  const { id, term } = node;
  const { from, round } = heartbeat;
  node.out.send(from, marked(node, { kind: 'heartbeatResponse', from: id, term, round }));
}

/**
 * A sender of an older term learns that it is behind, so that it cannot disturb and cannot starve
 * (bug 31).
 */
export function answerOldLeader(node: RaftNode, to: string): void {
  node.out.sendAfterWrite(to, {
    kind: 'appendResponse',
    from: node.id,
    term: node.term,
    accepted: false,
    index: 0,
    hintIndex: 0,
    hintTerm: 0,
  });
}
