// Changes of the members on the leader's word: works out the configuration that is meant, has it proposed, and answers when it is
// in force for good. A new voter catches up as a learner first. What is safe, Raft decides.

import type {
  Configuration,
  ConfigurationChange,
  LogEntry,
  NodeId,
  ProposalOutcome,
  RaftStatus,
} from '@skein/raft';
import { orphanPatienceMs } from './proposals';
import { refused, type Answer } from './types';

export interface MemberChange {
  readonly id: NodeId;
  /** `add` takes in a learner, or with `learner: false` a voter, once it has caught up. */
  readonly action: 'add' | 'promote' | 'demote' | 'remove';
  readonly learner?: boolean;
  /** Refused if RaftStatus.configurationIndex is another one by now. */
  readonly expectedIndex?: number;
}

export interface MembersReply {
  readonly configuration: Configuration;
  readonly configurationIndex: number;
}

export interface MembersPorts {
  status(): RaftStatus;
  propose(id: number, change: ConfigurationChange): void;
  nowMs(): number;
}

/** How long a change may take until it is answered; it may still come about later. */
export const changePatienceMs = 9_000;

interface Pending {
  readonly change: MemberChange;
  readonly answer: Answer<MembersReply>;
  until: number;
  /** What Raft said to the last proposal; absent while none is under way. */
  proposed?: { index: number; term: number } | undefined;
  outcome?: ProposalOutcome | undefined;
}

export class Members {
  private pending: Pending | undefined;
  /** Learners that are to vote as soon as they can. */
  private readonly aspirants = new Set<NodeId>();
  private nextId = -1;
  private lastOutcome: ProposalOutcome | undefined;

  constructor(
    private readonly ports: MembersPorts,
    private readonly promotesAll: boolean,
  ) {}

  change(change: MemberChange, answer: Answer<MembersReply>): void {
    if (this.pending !== undefined) {
      return answer(refused('change_in_progress', 'Another change of the members is under way'));
    }
    const status = this.ports.status();
    if (status.role !== 'leader') {
      return answer(refused('not_leader', 'This replica does not lead'));
    }
    const { expectedIndex } = change;
    if (expectedIndex !== undefined && expectedIndex !== status.configurationIndex) {
      const facts = { configurationIndex: status.configurationIndex };
      return answer(
        refused('configuration_changed', 'The members have changed meanwhile', { facts }),
      );
    }
    if (!canFind(status.configuration, change)) {
      const facts = { id: change.id };
      return answer(refused('member_not_found', 'There is no such member', { field: 'id', facts }));
    }
    if (change.action === 'add' && change.learner === false) this.aspirants.add(change.id);
    else this.aspirants.delete(change.id);
    this.pending = { change, answer, until: this.ports.nowMs() + changePatienceMs };
    this.advance(this.pending);
  }

  settled(outcome: ProposalOutcome): void {
    this.lastOutcome = outcome;
  }

  /** A configuration's entry was applied. */
  applied(entry: LogEntry): void {
    const { pending } = this;
    if (pending?.proposed === undefined || entry.index < pending.proposed.index) return;
    if (entry.index === pending.proposed.index && entry.term !== pending.proposed.term) {
      return this.finish(pending, refused('not_leader', 'A new leader has replaced the change'));
    }
    // Joint: the entry that leaves it is still to come.
    const { configuration } = this.ports.status();
    if (configuration.outgoing.length > 0) return;
    pending.proposed = undefined;
    // Inside a step nothing can be proposed: the next one goes out with the next tick.
    if (wantedBy(pending.change, configuration) === null) this.advance(pending);
  }

  /** What was proposed may be in force already: a leader that removes itself stops leading by that. */
  leadershipLost(): void {
    this.aspirants.clear();
    const { pending } = this;
    if (pending === undefined) return;
    if (pending.proposed === undefined) this.finish(pending, leadershipGone('not done'));
    else pending.until = this.ports.nowMs() + orphanPatienceMs;
  }

  tick(nowMs: number, isInOffice: boolean): void {
    const { pending } = this;
    if (pending === undefined) {
      if (isInOffice) this.promoteAspirant();
    } else if (nowMs > pending.until) {
      this.giveUp(pending, isInOffice);
    } else if (isInOffice && pending.proposed === undefined) {
      this.advance(pending);
    }
  }

  /** One step towards what was asked: nothing is left to do, or a proposal. */
  private advance(pending: Pending): void {
    const status = this.ports.status();
    const { configuration } = status;
    if (configuration.outgoing.length > 0) return;
    const wanted = wantedBy(pending.change, configuration);
    if (wanted === null) {
      const { configurationIndex } = status;
      return this.finish(pending, { ok: true, reply: { configuration, configurationIndex } });
    }
    const outcome = this.propose(wanted);
    if (outcome?.accepted === true) {
      pending.proposed = { index: outcome.index, term: outcome.term };
      return;
    }
    const code = outcome?.code ?? 'unavailable';
    // It learns the log meanwhile: asked again at the next tick.
    const isWaiting = code === 'learner_behind' || code === 'term_not_opened';
    if (isWaiting && pending.change.action === 'add') return;
    this.finish(pending, refusalOf(code));
  }

  private promoteAspirant(): void {
    if (!this.promotesAll && this.aspirants.size === 0) return;
    const { role, configuration } = this.ports.status();
    if (role !== 'leader' || configuration.outgoing.length > 0) return;
    const id = configuration.learners.find((each) => this.promotesAll || this.aspirants.has(each));
    if (id === undefined) return this.aspirants.clear();
    const wanted = wantedBy({ id, action: 'promote' }, configuration);
    if (wanted !== null) this.propose(wanted);
  }

  private propose(change: ConfigurationChange): ProposalOutcome | undefined {
    this.lastOutcome = undefined;
    this.nextId -= 1;
    this.ports.propose(this.nextId, change);
    return this.lastOutcome;
  }

  private giveUp(pending: Pending, isInOffice: boolean): void {
    if (!isInOffice) return this.finish(pending, leadershipGone('unknown'));
    const { id, action } = pending.change;
    const { configuration, lastIndex, peers } = this.ports.status();
    if (pending.proposed === undefined && action === 'add' && configuration.learners.includes(id)) {
      const matchIndex = peers.find((peer) => peer.id === id)?.matchIndex ?? 0;
      const facts = { matchIndex, lastIndex };
      const message = 'The learner still catches up; it will vote as soon as it has';
      return this.finish(pending, refused('learner_behind', message, { facts }));
    }
    this.finish(pending, refused('deadline_exceeded', 'The change is not in force yet'));
  }

  private finish(pending: Pending, answered: Parameters<Answer<MembersReply>>[0]): void {
    this.pending = undefined;
    pending.answer(answered);
  }
}

function leadershipGone(outcome: 'not done' | 'unknown'): ReturnType<typeof refused> {
  const message = 'Leadership was lost while the members were being changed';
  return refused('unavailable', message, { facts: { outcome } });
}

function canFind(configuration: Configuration, { action, id }: MemberChange): boolean {
  if (action === 'add' || action === 'remove') return true;
  return configuration.incoming.includes(id) || configuration.learners.includes(id);
}

/** The next configuration on the way to what is wanted; null when it is in force. */
function wantedBy(
  { id, action, learner }: MemberChange,
  { incoming, learners }: Configuration,
): ConfigurationChange | null {
  const isVoter = incoming.includes(id);
  const isLearner = learners.includes(id);
  const without = (ids: readonly NodeId[]): NodeId[] => ids.filter((each) => each !== id);
  const set = (
    voters: readonly NodeId[],
    nextLearners: readonly NodeId[],
  ): ConfigurationChange => ({
    kind: 'set',
    voters: [...voters].sort(),
    learners: [...nextLearners].sort(),
  });
  switch (action) {
    case 'add':
      if (isVoter || (isLearner && learner !== false)) return null;
      if (isLearner) return set([...incoming, id], without(learners));
      return set(incoming, [...learners, id]);
    case 'promote':
      return isVoter ? null : set([...incoming, id], without(learners));
    case 'demote':
      return isVoter ? set(without(incoming), [...learners, id]) : null;
    case 'remove':
      return isVoter || isLearner ? set(without(incoming), without(learners)) : null;
  }
}

function refusalOf(
  code: Extract<ProposalOutcome, { accepted: false }>['code'] | 'unavailable',
): ReturnType<typeof refused> {
  switch (code) {
    case 'transferring':
    case 'overloaded':
    case 'unavailable':
      return refused('unavailable', 'The members can’t be changed at the moment');
    case 'too_large':
      return refused('invalid_configuration', 'The configuration does not fit into an entry');
    default:
      return refused(code, memberMessages[code]);
  }
}

const memberMessages = {
  not_leader: 'This replica does not lead',
  change_in_progress: 'Another change of the members is under way',
  configuration_changed: 'The members have changed meanwhile',
  term_not_opened: 'The leader has just been elected',
  invalid_configuration: 'The cluster can’t have these members',
  learner_behind: 'The learner is not near enough to the leader',
  recovering: 'The replica still makes good what its log has lost',
} as const;
