// The state of one replica and the few transitions that every rule shares: terms, roles, commit,
// and packing a step's effects. The rules themselves live beside: election, leader, follower,
// reads. It must not know who calls it.
import { assert } from './assert';
import { Durability } from './durability';
import { listOf, Outbox } from './outbox';
import type { Progress } from './progress';
import { isVoter } from './quorum';
import { entryBytes, RaftLog } from './raft-log';
import { FollowerReads, LeaderReads } from './read-queues';
import type { RaftMessage } from './messages';
import type {
  Configuration,
  HardState,
  LogEntry,
  LogWrite,
  NodeId,
  RaftConfig,
  RaftEffects,
  RaftRole,
  RestoredState,
  StepDownReason,
} from './types';

export const raftDefaults = {
  electionTicks: 10,
  heartbeatTicks: 1,
  maxMessageBytes: 256 * 1024,
  maxInflightMessages: 64,
  maxInflightBytes: 8 * 1024 * 1024,
  maxUncommittedBytes: 32 * 1024 * 1024,
  maxEntryBytes: 768 * 1024,
  maxApplyingEntries: 8192,
} as const;

export class RaftNode {
  readonly id: NodeId;
  readonly config: Required<RaftConfig>;
  readonly log: RaftLog;
  readonly durability: Durability;
  readonly followerReads: FollowerReads;
  leaderReads = new LeaderReads();
  configuration: Configuration;

  role: RaftRole = 'follower';
  term: number;
  vote: NodeId | null;
  leader: NodeId | null = null;
  commit: number;
  /** The last index handed out in `apply`, and the last one reported back. */
  applying: number;
  applied: number;

  electionElapsed = 0;
  heartbeatElapsed = 0;
  electionTimeout = 0;
  isDiskStalled = false;

  votes = new Map<NodeId, boolean>();
  /** The write that makes a candidate's own vote durable; it counts itself only then. */
  ownVoteWrite: number | null = null;
  isTransferCampaign = false;
  peers = new Map<NodeId, Progress>();
  transferringTo: NodeId | null = null;
  uncommittedBytes = 0;

  out = new Outbox();
  private storedTerm: number;
  private storedVote: NodeId | null;
  private storedCommit: number;

  constructor(config: RaftConfig, restored: RestoredState) {
    this.id = config.id;
    this.config = { ...raftDefaults, ...config };
    const { hardState, snapshot } = restored;
    this.log = new RaftLog(snapshot?.index ?? 0, snapshot?.term ?? 0, restored.entries);
    this.durability = new Durability(this.log.lastIndex);
    this.configuration = restored.configuration;
    this.applied = restored.applied ?? snapshot?.index ?? 0;
    this.applying = this.applied;
    this.term = this.storedTerm = hardState.term;
    this.vote = this.storedVote = hardState.vote;
    this.storedCommit = hardState.commit;
    this.commit = Math.max(hardState.commit, this.applied);
    this.followerReads = new FollowerReads(config.random());
    this.drawElectionTimeout();
    this.checkStart();
  }

  private checkStart(): void {
    const { electionTicks, heartbeatTicks } = this.config;
    assert(
      heartbeatTicks >= 1 && heartbeatTicks < electionTicks,
      'heartbeats rarer than elections',
    );
    assert(this.log.lastTerm <= this.term, 'the log is ahead of the stored term');
    assert(this.commit <= this.log.lastIndex, 'commit beyond the restored log');
    assert(this.applied >= this.log.firstIndex - 1, 'applied lies before the snapshot');
  }

  get isVoter(): boolean {
    return isVoter(this.configuration, this.id);
  }

  /**
   * Leader contact is recent enough to refuse others' campaigns. A leader is always in contact with
   * itself.
   */
  get isLeaderAlive(): boolean {
    return this.leader !== null && this.electionElapsed < this.config.electionTicks;
  }

  drawElectionTimeout(): void {
    const { electionTicks, random } = this.config;
    this.electionTimeout = electionTicks + Math.floor(random() * electionTicks);
  }

  /**
   * Invariant: the vote is forgotten only together with its term; a same-term step-down keeps it
   * (Raft §5.2).
   */
  setTerm(term: number): void {
    assert(term >= this.term, 'the term goes back');
    if (term === this.term) return;
    this.term = term;
    this.vote = null;
  }

  becomeFollower(term: number, leader: NodeId | null, reason?: StepDownReason): void {
    const isNews = term !== this.term || this.role !== 'follower' || leader !== this.leader;
    this.leaveRole(term, leader);
    this.setTerm(term);
    this.role = 'follower';
    this.leader = leader;
    this.electionElapsed = 0;
    this.drawElectionTimeout();
    if (!isNews) return;
    const fact = { kind: 'roleChanged', role: 'follower', term, leader } as const;
    this.out.trace(reason === undefined ? fact : { ...fact, reason });
  }

  /** Gives up what belongs to the present role and term; reads that wait on it are refused. */
  leaveRole(term: number, leader: NodeId | null): void {
    if (term !== this.term || leader !== this.leader) {
      this.followerReads.rejectAll(this.out, leader);
    }
    if (this.role === 'leader') {
      this.leaderReads.rejectAll(this.out, leader);
      this.leaderReads = new LeaderReads();
      this.peers = new Map();
    }
    this.transferringTo = null;
    this.votes = new Map();
    this.ownVoteWrite = null;
    this.uncommittedBytes = 0;
  }

  /** Raises the commit index. The caller has proven that the log matches up to here. */
  commitTo(index: number): void {
    if (index <= this.commit) return;
    assert(index <= this.log.lastIndex, `commit ${index} beyond the log`);
    if (this.uncommittedBytes > 0) {
      for (let i = this.commit + 1; i <= index; i += 1) {
        this.uncommittedBytes -= entryBytes(this.log.entryAt(i));
      }
    }
    this.commit = index;
    this.out.trace({ kind: 'commitAdvanced', index });
  }

  append(entry: LogEntry): void {
    this.log.append(entry);
    this.out.write(entry);
  }

  truncateFrom(index: number): void {
    assert(index > this.commit, `truncating the committed entry ${index}`);
    this.log.truncateFrom(index);
    this.durability.truncate(index);
    this.out.truncateFrom = index;
    this.out.trace({ kind: 'logTruncated', from: index });
  }

  drop(
    message: RaftMessage,
    reason:
      'old_term' | 'second_leader' | 'unknown_peer' | 'leader_lives' | 'beyond_log' | 'unsupported',
  ): void {
    this.out.trace({ kind: 'messageDropped', from: message.from, message: message.kind, reason });
  }

  /** Packs the effects of the step that ends here. */
  finish(): RaftEffects {
    const { out } = this;
    const append = this.packWrite();
    const apply = this.takeApplicable();
    this.out = new Outbox();
    return {
      append,
      send: listOf(out.sends),
      apply,
      reads: listOf(out.reads),
      proposals: listOf(out.proposals),
      transfer: out.transfer,
      trace: listOf(out.traces),
    };
  }

  private packWrite(): LogWrite | null {
    const { out } = this;
    const isVoteNews = this.term !== this.storedTerm || this.vote !== this.storedVote;
    const isLogNews = out.entries !== null || out.truncateFrom !== null;
    if (!isVoteNews && !isLogNews) {
      if (out.thens === null) return null;
      if (!this.durability.hasPending) {
        // Everything that these envelopes promise is durable already.
        for (const { to, message } of out.thens) out.send(to, message);
        return null;
      }
    }
    const { lastIndex, lastTerm } = this.log;
    const id = this.durability.issue(lastIndex, lastTerm);
    if (isVoteNews && this.role === 'candidate') this.ownVoteWrite = id;
    return {
      id,
      hardState: isVoteNews || isLogNews ? this.packHardState() : null,
      truncateFrom: out.truncateFrom,
      entries: listOf(out.entries),
      lastIndex,
      lastTerm,
      then: listOf(out.thens),
    };
  }

  private packHardState(): HardState | null {
    const { term, vote, commit } = this;
    if (term === this.storedTerm && vote === this.storedVote && commit === this.storedCommit) {
      return null;
    }
    this.storedTerm = term;
    this.storedVote = vote;
    this.storedCommit = commit;
    return { term, vote, commit };
  }

  /**
   * Invariant: nothing is applied before it is durable here, so applied never passes the log after
   * a power cut.
   */
  private takeApplicable(): readonly LogEntry[] {
    const room = this.config.maxApplyingEntries - (this.applying - this.applied);
    const last = Math.min(this.commit, this.durability.durableIndex, this.applying + room);
    if (last <= this.applying) return listOf<LogEntry>(null);
    const entries = this.log.slice(this.applying + 1, last, Infinity);
    this.applying = last;
    return entries;
  }
}
