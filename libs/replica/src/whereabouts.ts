// Who was heard when, who leads, and whether this replica still belongs: tells the leader its standing, tells strangers who ask for
// votes that they were removed, and takes that word itself. A removed replica stays quiet until a leader speaks to it.

import {
  decodeConfiguration,
  type LogEntry,
  type NodeId,
  type RaftMessage,
  type RaftStatus,
} from '@skein/raft';
import { standingMs } from './standings';
import type { MemberStanding, ReplicaFact, ReplicaNotice } from './types';

export interface WhereaboutsPorts {
  status(): RaftStatus;
  nowMs(): number;
  tell(to: NodeId, notice: ReplicaNotice): void;
  own(): MemberStanding;
  said(fact: ReplicaFact): void;
}

export class Whereabouts {
  isRemoved = false;
  private readonly heardAt = new Map<NodeId, number>();
  private leader: NodeId | null = null;
  private tellAt = 0;

  constructor(
    private readonly id: NodeId,
    private readonly ports: WhereaboutsPorts,
  ) {}

  heard(message: RaftMessage): void {
    const { from, kind } = message;
    this.heardAt.set(from, this.ports.nowMs());
    if (kind === 'preVote' || kind === 'vote') this.answerStranger(from);
    else if (this.isRemoved && isLeaders(kind)) this.returned(message.term);
  }

  heardWithin(withinMs: number): NodeId[] {
    const since = this.ports.nowMs() - withinMs;
    const heard = [...this.heardAt].filter(([, at]) => at >= since).map(([id]) => id);
    return [...new Set([this.id, ...heard])].sort();
  }

  leaderIs(leader: NodeId | null): void {
    if (leader !== this.leader) this.tellAt = 0;
    this.leader = leader;
  }

  tick(nowMs: number): void {
    if (this.leader === null || this.leader === this.id || nowMs < this.tellAt) return;
    this.tellAt = nowMs + standingMs;
    this.ports.tell(this.leader, { kind: 'standing', ...this.ports.own() });
  }

  configurationApplied(entry: LogEntry): void {
    const configuration = decodeConfiguration(entry.data);
    if (configuration === null) return;
    this.ports.said({ kind: 'configurationApplied', index: entry.index, configuration });
    const { index } = entry;
    // An old configuration that is only now read says nothing about the present one.
    const isNewest = this.ports.status().configurationIndex === index;
    if (!isNewest) return;
    if (!belongs(this.id, configuration)) this.removed(index);
    // So says the log itself: an operator may have made it a member again.
    else if (this.isRemoved) this.returned(this.ports.status().term);
  }

  /** Another replica says so. Believed if it knows a later configuration than this one does. */
  toldRemoved(index: number): void {
    if (index > this.ports.status().configurationIndex) this.removed(index);
  }

  private removed(index: number): void {
    if (this.isRemoved) return;
    this.isRemoved = true;
    this.ports.said({ kind: 'removed', index });
  }

  private returned(term: number): void {
    if (term < this.ports.status().term) return;
    this.isRemoved = false;
    this.ports.said({ kind: 'removalEnded' });
  }

  /** Only what is committed is told: a leader that is followed, and a configuration that is not joint. */
  private answerStranger(from: NodeId): void {
    const { configuration, configurationIndex, leader, commitIndex } = this.ports.status();
    const isSettled = leader !== null && configurationIndex <= commitIndex;
    if (!isSettled || belongs(from, configuration)) return;
    this.ports.tell(from, { kind: 'removed', from: this.id, index: configurationIndex });
  }
}

function belongs(
  id: NodeId,
  { incoming, outgoing, learners }: RaftStatus['configuration'],
): boolean {
  return incoming.includes(id) || outgoing.includes(id) || learners.includes(id);
}

function isLeaders(kind: RaftMessage['kind']): boolean {
  return kind === 'append' || kind === 'heartbeat' || kind === 'installSnapshot';
}
