// The invariants of Raft, each checked as the cluster runs: what every replica appends, commits,
// applies, votes and leads is compared with what any replica ever did before. It must not know how
// the replicas come to it.
import type { LogEntry, NodeId, RaftStatus } from '@skein/raft';

export type Rule =
  | 'election safety'
  | 'one vote a term'
  | 'log matching'
  | 'leader completeness'
  | 'state machine safety'
  | 'commit on quorum'
  | 'committed is immutable'
  | 'monotone'
  | 'acknowledged is never lost'
  | 'linearizability'
  | 'liveness'
  | 'assertion';

export interface Violation {
  readonly rule: Rule;
  readonly detail: string;
  readonly atMs: number;
}

/** What a checker may see of a replica. */
export interface ObservedReplica {
  readonly id: NodeId;
  /** Counts restarts; what is monotone in memory may go back between lives. */
  readonly life: number;
  /** The log in memory. */
  readonly log: readonly LogEntry[];
  /** The log on disk. */
  readonly durableLog: readonly LogEntry[];
}

interface Seen {
  readonly life: number;
  term: number;
  commit: number;
  applied: number;
}

const MAX_VIOLATIONS = 5;

export class RaftCheckers {
  readonly violations: Violation[] = [];
  /** Entry i has index i + 1. What any replica ever held as committed. */
  readonly committed: LogEntry[] = [];
  /** The term of the replica that was first seen to commit the entry. */
  private readonly committedInTerm: number[] = [];
  private readonly leaders = new Map<number, string>();
  private readonly votes = new Map<string, NodeId>();
  /** The one entry that may ever exist at an index and term, and the term of the one before it. */
  private readonly entries = new Map<
    string,
    { readonly entry: LogEntry; readonly prevTerm: number }
  >();
  private readonly seen = new Map<NodeId, Seen>();

  constructor(
    private readonly now: () => number,
    private readonly replicas: () => readonly ObservedReplica[],
  ) {}

  report(rule: Rule, detail: string): void {
    if (this.violations.length >= MAX_VIOLATIONS) return;
    this.violations.push({ rule, detail, atMs: Math.round(this.now()) });
  }

  /** By induction over the previous terms, equal entries mean equal logs up to them (Raft §5.3). */
  appended(id: NodeId, entry: LogEntry, prevTerm: number): void {
    const place = `${entry.index}:${entry.term}`;
    const known = this.entries.get(place);
    if (known === undefined) {
      this.entries.set(place, { entry, prevTerm });
      return;
    }
    if (known.prevTerm === prevTerm && isSameData(known.entry, entry)) return;
    this.report('log matching', `${id} holds another entry at ${place}`);
  }

  voted(voter: NodeId, term: number, candidate: NodeId): void {
    const key = `${voter}:${term}`;
    const before = this.votes.get(key);
    if (before === undefined) this.votes.set(key, candidate);
    else if (before !== candidate) {
      this.report(
        'one vote a term',
        `${voter} votes for ${before} and ${candidate} in term ${term}`,
      );
    }
  }

  becameLeader(replica: ObservedReplica, term: number): void {
    const identity = `${replica.id} in life ${replica.life}`;
    const before = this.leaders.get(term);
    if (before !== undefined && before !== identity) {
      this.report('election safety', `${before} and ${identity} lead term ${term}`);
    }
    this.leaders.set(term, identity);
    const last = this.lastCommittedBefore(term);
    if (last === undefined) return;
    const held = replica.log[last.index - 1];
    if (held === undefined || held.term !== last.term) {
      this.report(
        'leader completeness',
        `${replica.id} leads term ${term} without ${nameOf(last)}`,
      );
    }
  }

  /**
   * The promise is about later terms only: a leader of an old term may come to power late, and in
   * vain (Raft §5.4).
   */
  private lastCommittedBefore(term: number): LogEntry | undefined {
    let at = this.committed.length - 1;
    while (at >= 0 && (this.committedInTerm[at] as number) >= term) at -= 1;
    return this.committed[at];
  }

  /** After each step of a replica. */
  stepped(replica: ObservedReplica, status: RaftStatus): void {
    const before = this.seen.get(replica.id);
    if (before !== undefined && before.life === replica.life) {
      const { term, commitIndex, appliedIndex } = status;
      if (term < before.term || commitIndex < before.commit || appliedIndex < before.applied) {
        this.report('monotone', `${replica.id}: term, commit or applied went back`);
      }
    }
    const from = before?.life === replica.life ? before.commit : 0;
    for (let index = from + 1; index <= status.commitIndex; index += 1) {
      this.commit(replica, index, status.term);
    }
    this.seen.set(replica.id, {
      life: replica.life,
      term: status.term,
      commit: status.commitIndex,
      applied: status.appliedIndex,
    });
  }

  private commit(replica: ObservedReplica, index: number, term: number): void {
    const entry = replica.log[index - 1];
    if (entry === undefined) {
      this.report('state machine safety', `${replica.id} commits ${index}, beyond its log`);
      return;
    }
    const known = this.committed[index - 1];
    if (known === undefined) {
      this.committed.push(entry);
      this.committedInTerm.push(term);
      this.checkQuorum(replica.id, entry);
    } else if (known.term !== entry.term || !isSameData(known, entry)) {
      const detail = `${replica.id} commits ${nameOf(entry)} where ${nameOf(known)} was committed`;
      this.report('committed is immutable', detail);
    }
  }

  private checkQuorum(id: NodeId, entry: LogEntry): void {
    const replicas = this.replicas();
    const holders = replicas.filter(
      (replica) => replica.durableLog[entry.index - 1]?.term === entry.term,
    );
    if (holders.length > replicas.length / 2) return;
    const names = holders.map((holder) => holder.id).join(', ');
    this.report('commit on quorum', `${id} commits ${nameOf(entry)}, durable on [${names}] only`);
  }

  applied(id: NodeId, entry: LogEntry, expectedIndex: number): void {
    const known = this.committed[entry.index - 1];
    if (entry.index !== expectedIndex) {
      this.report(
        'state machine safety',
        `${id} applies ${entry.index} instead of ${expectedIndex}`,
      );
    } else if (known === undefined || known.term !== entry.term || !isSameData(known, entry)) {
      this.report('state machine safety', `${id} applies ${nameOf(entry)}, not what is committed`);
    }
  }

  /** A client was told that its write is done. */
  acknowledged(index: number, term: number): void {
    if (this.committed[index - 1]?.term === term) return;
    this.report('acknowledged is never lost', `acknowledged ${index}@${term} is not committed`);
  }
}

function nameOf(entry: LogEntry): string {
  return `${entry.index}@${entry.term}`;
}

function isSameData(a: LogEntry, b: LogEntry): boolean {
  if (a === b || a.data === b.data) return true;
  if (a.kind !== b.kind || a.data.length !== b.data.length) return false;
  return a.data.every((byte, i) => byte === b.data[i]);
}
