// The invariants of the replicas, looked at after every step: what each appends, stores, commits, applies,
// votes and leads is compared with the one history that may be. It must not know how they come to it.
import type { LogEntry, LogWrite, NodeId, RaftStatus } from '@skein/raft';
import { hashOf, type CommittedLog } from './committed-log';
import type { ConfigurationRules } from './configuration-rules';
import type { LogView } from './log-view';
import type { RestoredReplica, StoredReplica } from './stored-replica';
import type { Store } from '@skein/store';
import type { Violations } from './violations';

/** What a checker may see of a replica. */
export interface ObservedReplica {
  readonly id: NodeId;
  /** Counts restarts; what is monotone in memory may go back between lives. */
  readonly life: number;
  readonly memory: LogView;
  readonly stored: StoredReplica;
  readonly store: Store | null;
  readonly status: RaftStatus | null;
  /** Part of its disk was damaged, and it has not been made whole since; or all of it is gone. */
  readonly isDamaged: boolean;
}

interface Seen {
  readonly life: number;
  term: number;
  commit: number;
  applied: number;
  storeApplied: number;
}

interface Durable {
  readonly term: number;
  readonly vote: NodeId | null;
  readonly commit: number;
}

export class Invariants {
  private readonly leaders = new Map<number, string>();
  private readonly votes = new Map<string, NodeId>();
  /** The one entry that may ever exist at an index and term, and the term of the one before it. */
  private readonly entries = new Map<string, { readonly entry: LogEntry; prevTerm: number }>();
  private readonly seen = new Map<NodeId, Seen>();
  private readonly durable = new Map<NodeId, Durable>();
  /** How far a recovering replica's log must reach before it may count again. */
  private readonly owed = new Map<NodeId, number>();

  constructor(
    private readonly violations: Violations,
    private readonly committed: CommittedLog,
    private readonly configurations: ConfigurationRules,
    private readonly replicaOf: (id: NodeId) => ObservedReplica | undefined,
    private readonly commit: (entry: LogEntry, term: number) => void,
  ) {}

  started(replica: ObservedReplica, restored: RestoredReplica): void {
    const { hardState } = restored;
    if (restored.isDamaged) {
      this.durable.delete(replica.id);
      this.owed.set(replica.id, this.committed.lastIndex);
    }
    const before = this.durable.get(replica.id);
    if (before !== undefined && hardState.term < before.term) {
      this.violations.report('durable is monotone', `${replica.id} restarts in an earlier term`);
    }
  }

  /** The disk lost everything: nothing that it promised binds what comes after. */
  forgot(id: NodeId): void {
    this.durable.delete(id);
  }

  /** Called before the write shows in the replica's memory. */
  appending(replica: ObservedReplica, write: LogWrite): void {
    const { memory, status } = replica;
    let prevTerm = memory.termAt((write.entries[0]?.index ?? 1) - 1) ?? 0;
    for (const entry of write.entries) {
      this.appended(replica.id, entry, prevTerm);
      prevTerm = entry.term;
      const isOwn = status?.role === 'leader' && entry.term === status.term;
      if (isOwn && entry.kind === 'configuration')
        this.configurations.proposed(replica, entry, write);
    }
  }

  /** By induction over the previous terms, equal entries mean equal logs up to them (Raft §5.3). */
  private appended(id: NodeId, entry: LogEntry, prevTerm: number): void {
    const place = `${entry.index}:${entry.term}`;
    const known = this.entries.get(place);
    if (known === undefined) {
      this.entries.set(place, { entry, prevTerm });
      return;
    }
    if (known.prevTerm === prevTerm && isSameEntry(known.entry, entry)) return;
    this.violations.report('log matching', `${id} holds another entry at ${place}`);
  }

  persisted(replica: ObservedReplica, write: LogWrite): void {
    const { hardState } = write;
    if (hardState === null) return;
    const { id } = replica;
    const before = this.durable.get(id);
    if (before !== undefined) {
      const isSecondVote =
        hardState.term === before.term && before.vote !== null && hardState.vote !== before.vote;
      const isBack = hardState.term < before.term || hardState.commit < before.commit;
      if (isSecondVote || isBack) {
        const detail = `${id} stores ${JSON.stringify(hardState)} after ${JSON.stringify(before)}`;
        this.violations.report('durable is monotone', detail);
      }
    }
    this.durable.set(id, hardState);
    const owed = this.owed.get(id);
    if (owed === undefined || hardState.isRecovering === true) return;
    this.owed.delete(id);
    const { log, snapshot } = replica.stored;
    if (Math.max(log.lastIndex, snapshot?.header.index ?? 0) >= owed) return;
    this.violations.report('recovering is not counted', `${id} counts again before it has ${owed}`);
  }

  voted(voter: ObservedReplica, term: number, candidate: NodeId): void {
    const key = `${voter.id}:${term}`;
    const before = this.votes.get(key);
    if (before === undefined) this.votes.set(key, candidate);
    else if (before !== candidate) {
      const detail = `${voter.id} votes for ${before} and ${candidate} in term ${term}`;
      this.violations.report('one vote a term', detail);
    }
    if (voter.status?.isRecovering !== true) return;
    this.violations.report('recovering is not counted', `${voter.id} votes while it recovers`);
  }

  becameLeader(replica: ObservedReplica, term: number): void {
    const identity = `${replica.id} in life ${replica.life}`;
    const before = this.leaders.get(term);
    if (before !== undefined && before !== identity) {
      this.violations.report('election safety', `${before} and ${identity} lead term ${term}`);
    }
    this.leaders.set(term, identity);
    const last = this.lastCommittedBefore(term);
    if (last === undefined) return;
    const { memory } = replica;
    const isCovered = last.index < memory.baseIndex || memory.termAt(last.index) === last.term;
    if (isCovered) return;
    const detail = `${replica.id} leads term ${term} without ${nameOf(last)}`;
    this.violations.report('leader completeness', detail);
  }

  /** The promise is about later terms only: a leader of an old term may come to power late, in vain. */
  private lastCommittedBefore(term: number): LogEntry | undefined {
    const { entries, committedInTerm } = this.committed;
    let at = entries.length - 1;
    while (at >= 0 && (committedInTerm[at] as number) >= term) at -= 1;
    return entries[at];
  }

  /** After each step of a replica that is up. */
  stepped(replica: ObservedReplica): void {
    const { status, store } = replica;
    if (status === null || store === null) return;
    const storeApplied = store.status.appliedIndex;
    const now = {
      life: replica.life,
      term: status.term,
      commit: status.commitIndex,
      applied: status.appliedIndex,
      storeApplied,
    };
    const seen = this.seen.get(replica.id);
    const before = seen?.life === replica.life ? seen : undefined;
    this.seen.set(replica.id, now);
    if (before !== undefined) {
      const isBack =
        now.term < before.term || now.commit < before.commit || now.applied < before.applied;
      if (isBack || now.storeApplied < before.storeApplied) {
        this.violations.report('monotone', `${replica.id}: ${JSON.stringify([before, now])}`);
      }
    }
    this.checkOrder(replica, status, storeApplied);
    for (let index = (before?.commit ?? 0) + 1; index <= status.commitIndex; index += 1) {
      this.checkCommitted(replica, status, index);
    }
    if (before === undefined || storeApplied !== before.storeApplied) {
      this.checkState(replica.id, store, storeApplied);
    }
  }

  private checkOrder(replica: ObservedReplica, status: RaftStatus, storeApplied: number): void {
    const purged = status.firstIndex - 1;
    const { stored } = replica;
    const snapshot = stored.snapshot?.header.index ?? 0;
    const { commitIndex, appliedIndex, lastIndex } = status;
    const isOrdered =
      Math.max(purged, stored.log.baseIndex) <= snapshot &&
      purged <= storeApplied &&
      appliedIndex <= storeApplied &&
      storeApplied <= commitIndex &&
      commitIndex <= lastIndex;
    if (isOrdered) return;
    const detail =
      `${replica.id}: purged ${purged}, on disk ${stored.log.baseIndex}, snapshot ${snapshot}, ` +
      `applied ${appliedIndex}, in the store ${storeApplied}, commit ${commitIndex}, last ${lastIndex}`;
    this.violations.report('order of indices', detail);
  }

  private checkCommitted(replica: ObservedReplica, status: RaftStatus, index: number): void {
    const { memory } = replica;
    const known = this.committed.entries[index - 1];
    if (index <= memory.baseIndex) {
      const isBase = index === memory.baseIndex;
      if (known !== undefined && (!isBase || known.term === memory.baseTerm)) return;
      const detail = `${replica.id} has a snapshot of ${index}@${memory.baseTerm}`;
      this.violations.report('committed is immutable', `${detail}, which is not committed`);
      return;
    }
    const entry = memory.entryAt(index);
    if (entry === undefined) {
      const detail = `${replica.id} commits ${index}, beyond its log`;
      this.violations.report('state machine safety', detail);
    } else if (known === undefined) {
      this.firstCommit(replica, status, entry);
    } else if (known.term !== entry.term || !isSameEntry(known, entry)) {
      const detail = `${replica.id} commits ${nameOf(entry)} where ${nameOf(known)} was committed`;
      this.violations.report('committed is immutable', detail);
    }
  }

  private firstCommit(replica: ObservedReplica, status: RaftStatus, entry: LogEntry): void {
    this.commit(entry, status.term);
    const { id } = replica;
    if (replica.memory.termAt(status.commitIndex) !== status.term) {
      const detail = `${id} commits up to ${status.commitIndex} in term ${status.term}`;
      this.violations.report('commit in own term', detail);
    }
    const holds = (member: NodeId): boolean => {
      const held = this.replicaOf(member);
      if (held === undefined) return false;
      const { log, snapshot } = held.stored;
      if (held.isDamaged || (snapshot?.header.index ?? 0) >= entry.index) return true;
      return log.termAt(entry.index) === entry.term;
    };
    const { incoming, outgoing } = status.configuration;
    if (isMajority(incoming, holds) && (outgoing.length === 0 || isMajority(outgoing, holds))) {
      return;
    }
    const names = [...incoming, ...outgoing].filter(holds).join(', ');
    const detail = `${id} commits ${nameOf(entry)}, durable on [${names}] only`;
    this.violations.report('commit on quorum', detail);
  }

  private checkState(id: NodeId, store: Store, index: number): void {
    if (index > this.committed.lastIndex) {
      this.violations.report('state machine safety', `${id} applies ${index}, not committed`);
    } else if (index > 0 && hashOf(store) !== this.committed.hashAt(index)) {
      this.violations.report('state machine safety', `${id} is another state at ${index}`);
    }
  }
}

export function isMajority(members: readonly NodeId[], holds: (id: NodeId) => boolean): boolean {
  return members.filter(holds).length > members.length / 2;
}

function nameOf(entry: LogEntry): string {
  return `${entry.index}@${entry.term}`;
}

function isSameEntry(a: LogEntry, b: LogEntry): boolean {
  if (a === b || a.data === b.data) return true;
  if (a.kind !== b.kind || a.data.length !== b.data.length) return false;
  return a.data.every((byte, i) => byte === b.data[i]);
}
