// Majorities of plain and joint configurations: what is committed, and who won. Pure arithmetic
// over names. It must not know logs, terms or messages. An empty half of a joint configuration
// agrees with everything.
import type { Configuration, NodeId } from './types';

export type VoteResult = 'won' | 'lost' | 'pending';

/** The largest value that a majority of `voters` has reached; Infinity when there are no voters. */
export function majorityValue(voters: readonly NodeId[], valueOf: (id: NodeId) => number): number {
  const count = voters.length;
  if (count === 0) return Infinity;
  const values = new Array<number>(count);
  for (let i = 0; i < count; i += 1) {
    const value = valueOf(voters[i] as NodeId);
    let at = i;
    while (at > 0 && (values[at - 1] as number) < value) {
      values[at] = values[at - 1] as number;
      at -= 1;
    }
    values[at] = value;
  }
  // Descending: the value at floor(n/2) is reached by floor(n/2)+1 voters.
  return values[count >> 1] as number;
}

/** The largest value that both majorities have reached. */
export function quorumValue(configuration: Configuration, valueOf: (id: NodeId) => number): number {
  const incoming = majorityValue(configuration.incoming, valueOf);
  if (configuration.outgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(configuration.outgoing, valueOf));
}

/** The result among `voters` of votes seen so far; `true` grants. */
export function majorityVote(
  voters: readonly NodeId[],
  votes: ReadonlyMap<NodeId, boolean>,
): VoteResult {
  if (voters.length === 0) return 'won';
  let granted = 0;
  let missing = 0;
  for (const id of voters) {
    const vote = votes.get(id);
    if (vote === undefined) missing += 1;
    else if (vote) granted += 1;
  }
  const needed = (voters.length >> 1) + 1;
  if (granted >= needed) return 'won';
  return granted + missing >= needed ? 'pending' : 'lost';
}

export function quorumVote(
  configuration: Configuration,
  votes: ReadonlyMap<NodeId, boolean>,
): VoteResult {
  const incoming = majorityVote(configuration.incoming, votes);
  if (configuration.outgoing.length === 0) return incoming;
  const outgoing = majorityVote(configuration.outgoing, votes);
  if (incoming === 'lost' || outgoing === 'lost') return 'lost';
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending';
}

export function isVoter(configuration: Configuration, id: NodeId): boolean {
  return configuration.incoming.includes(id) || configuration.outgoing.includes(id);
}

/**
 * Every member that entries are replicated to, sorted by name, so that iteration is the same
 * everywhere.
 */
export function membersOf(configuration: Configuration): NodeId[] {
  const { incoming, outgoing, learners } = configuration;
  return [...new Set([...incoming, ...outgoing, ...learners])].sort();
}
