// What a follower does with its leader's messages: match, truncate only at a real conflict, append,
// commit (Raft §5.3). Acknowledgements wait for the log. It must not know votes or how leaders
// count.
import { assert } from './assert';
import type { RaftNode } from './node';
import type { AppendRequest, AppendResponse, Heartbeat } from './messages';

export function receiveAppend(node: RaftNode, request: AppendRequest): void {
  const { prevIndex, prevTerm, entries } = request;
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

function acknowledge(node: RaftNode, to: string, index: number): void {
  const answer: AppendResponse = {
    kind: 'appendResponse',
    from: node.id,
    term: node.term,
    accepted: true,
    index,
    hintIndex: 0,
    hintTerm: 0,
  };
  node.out.sendAfterWrite(to, answer);
}

/** The hint skips, in one answer, all entries of terms that the leader cannot hold there. */
function reject(node: RaftNode, { from, prevIndex, prevTerm }: AppendRequest): void {
  const hintIndex = node.log.lastIndexWithTermAtMost(prevIndex, prevTerm);
  const hintTerm = node.log.termAt(hintIndex) ?? 0;
  node.out.trace({ kind: 'appendRejected', leader: from, prevIndex, hintIndex });
  node.out.sendAfterWrite(from, {
    kind: 'appendResponse',
    from: node.id,
    term: node.term,
    accepted: false,
    index: prevIndex,
    hintIndex,
    hintTerm,
  });
}

export function receiveHeartbeat(node: RaftNode, heartbeat: Heartbeat): void {
  if (heartbeat.commit <= node.log.lastIndex) node.commitTo(heartbeat.commit);
  else node.drop(heartbeat, 'beyond_log');
  const { from, round } = heartbeat;
  node.out.send(from, { kind: 'heartbeatResponse', from: node.id, term: node.term, round });
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
