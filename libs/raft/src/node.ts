// The state of one replica and the few transitions that every rule shares: terms, roles, commit,
// and packing a step's effects. The rules themselves live beside: election, leader, follower,
// reads. It must not know who calls it.
import { assert } from './assert';
import { restoreConfigurations, type ConfigurationHistory } from './configuration-history';
import { raftDefaults, type CompleteConfig } from './defaults';
import { Durability } from './durability';
import { listOf, Outbox } from './outbox';
import { LeaderLease } from './lease';
import { beginRecovery, type OwnRecovery } from './own-recovery';
import { Progress } from './progress';
import { isVoter, membersOf } from './quorum';
import { entryBytes, RaftLog } from './raft-log';
import { FollowerReads, LeaderReads } from './read-queues';
import type { RaftMessage } from './messages';
import type {
  Configuration,
  DropReason,
  HardState,
  LogEntry,
  LogWrite,
  NodeId,
  RaftConfig,
  RaftEffects,
  RaftRole,
  RestoredState,
  SnapshotHeader,
  StepDownReason,
} from './types';

export class RaftNode {
  readonly id: NodeId;
  readonly config: CompleteConfig;
  readonly log: RaftLog;
  readonly durability: Durability;
  readonly followerReads: FollowerReads;
  readonly configurations: ConfigurationHistory;
  leaderReads = new LeaderReads();
  lease: LeaderLease;

  role: RaftRole = 'follower';
  term: number;
  vote: NodeId | null;
  leader: NodeId | null = null;
  commit: number;
  /** The last index handed out in `apply`, and the last one reported back. */
  applying: number;
  applied: number;

  /** The snapshot that comes in, and the one that is taking the place of log and state. */
  receiving: { readonly header: SnapshotHeader; readonly size: number } | null = null;
  installing: SnapshotHeader | null = null;
  recovery: OwnRecovery | null;
  private readonly startsNew: boolean;

  /** Ticks of this run; the driver's clock at the last one that told it. */
  ticks = 0;
  nowMs: number | null = null;
  /** The clock at the first tick after the leader was last heard; only where leases are on. */
  private heardMs: number | null = null;
  /** A member that restarts where leases are on can't know whose lease it has confirmed. */
  private isLeaderAssumed: boolean;

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
  private storedRecovery: boolean;

  constructor(config: RaftConfig, restored: RestoredState) {
    this.id = config.id;
    this.config = { ...raftDefaults, ...config };
    const { hardState, snapshot } = restored;
    this.log = new RaftLog(snapshot?.index ?? 0, snapshot?.term ?? 0, restored.entries);
    this.durability = new Durability(this.log.lastIndex);
    this.configurations = restoreConfigurations(restored);
    this.lease = new LeaderLease(this.config.leaseMs);
    this.isLeaderAssumed = this.config.leaseMs !== undefined && hardState.term > 0;
    this.storedRecovery = hardState.isRecovering === true;
    this.applied = restored.applied ?? snapshot?.index ?? 0;
    this.applying = this.applied;
    // A damaged log may be shorter, and a lost term older, than what was once stored.
    const isDamaged = this.storedRecovery;
    this.term = isDamaged ? Math.max(hardState.term, this.log.lastTerm) : hardState.term;
    this.storedTerm = hardState.term;
    this.vote = this.storedVote = hardState.vote;
    this.storedCommit = hardState.commit;
    const commit = Math.max(hardState.commit, this.applied);
    this.commit = isDamaged ? Math.min(commit, this.log.lastIndex) : commit;
    this.followerReads = new FollowerReads(config.random());
    this.drawElectionTimeout();
    const isVoteLost = hardState.isVoteLost === true;
    this.recovery = isDamaged ? beginRecovery(config.random, isVoteLost) : null;
    this.startsNew = restored.isNew === true;
    this.checkStart();
  }

  /** Nothing of a past was on its disk, and it has neither voted nor appended since. */
  get isNew(): boolean {
    const isUntouched = this.vote === null && this.log.lastIndex === 0;
    return this.startsNew && isUntouched && this.recovery === null;
  }

  private checkStart(): void {
    const { electionTicks, heartbeatTicks, priority } = this.config;
    assert(priority >= 0 && priority <= 100, 'a priority is from 0 to 100');
    assert(
      heartbeatTicks >= 1 && heartbeatTicks < electionTicks,
      'heartbeats rarer than elections',
    );
    assert(this.log.lastTerm <= this.term, 'the log is ahead of the stored term');
    assert(this.commit <= this.log.lastIndex, 'commit beyond the restored log');
    assert(this.applied >= this.log.firstIndex - 1, 'applied lies before the snapshot');
  }

  get configuration(): Configuration {
    return this.configurations.current;
  }

  /** May lead if it wins: votes, is whole, and has a disk that works. */
  get canCampaign(): boolean {
    const isWhole = this.recovery === null && this.installing === null;
    return (this.isVoter || this.isVoterYet) && isWhole && !this.isDiskStalled;
  }

  /**
   * A voter until the change that takes its vote is committed: it may be the only one that knows of
   * the change, and then nobody else can win (thesis §4.2.2). It campaigns without a vote of its own.
   */
  private get isVoterYet(): boolean {
    return isVoter(this.configurations.at(this.commit).configuration, this.id);
  }

  get isVoter(): boolean {
    return isVoter(this.configuration, this.id);
  }

  /**
   * Leader contact is recent enough to refuse others' campaigns. A leader is always in contact with
   * itself.
   */
  get isLeaderAlive(): boolean {
    if (this.leader === null && !this.isLeaderAssumed) return false;
    return this.electionElapsed < this.config.electionTicks || this.isLeasePossible;
  }

  /**
   * Invariant: no vote while a leader may hold a lease to which this member's last answer has
   * contributed. Ticks that come in a burst say nothing about time, so the clock is asked as well.
   */
  private get isLeasePossible(): boolean {
    const { leaseMs } = this.config;
    if (leaseMs === undefined) return false;
    if (this.heardMs === null || this.nowMs === null) return this.nowMs !== null;
    return this.nowMs - this.heardMs <= leaseMs * 1.1;
  }

  /** The clock moved: a member hears of its own time only here. */
  tick(nowMs: number | undefined): void {
    this.ticks += 1;
    this.electionElapsed += 1;
    this.heartbeatElapsed += 1;
    if (nowMs === undefined || this.config.leaseMs === undefined) return;
    this.nowMs = Math.max(this.nowMs ?? nowMs, nowMs);
    this.heardMs ??= this.nowMs;
    if (this.isLeaderAssumed && !this.isLeaderAlive) this.isLeaderAssumed = false;
  }

  heardLeader(): void {
    this.electionElapsed = 0;
    this.heardMs = null;
    this.isLeaderAssumed = false;
  }

  /**
   * Higher priorities come first: from 50 on the spread shrinks towards the earliest moment, below
   * 50 the whole spread moves later.
   */
  drawElectionTimeout(): void {
    const { electionTicks, random, priority } = this.config;
    const spread = random() * electionTicks * Math.min(1, (100 - priority) / 50);
    const delay = electionTicks * Math.max(0, (50 - priority) / 50);
    this.electionTimeout = electionTicks + Math.floor(spread + delay);
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
      this.lease = new LeaderLease(this.config.leaseMs);
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
    if (entry.kind !== 'configuration') return;
    this.configurations.append(entry);
    this.adoptConfiguration();
  }

  /** A configuration is in force from its append on, committed or not (Raft §6). */
  private adoptConfiguration(): void {
    const { current, currentIndex } = this.configurations;
    this.out.trace({ kind: 'configurationChanged', index: currentIndex, configuration: current });
    if (this.role === 'leader') this.syncPeers(true);
  }

  /** Follows every other member of the configuration, in the order of their names. */
  syncPeers(isChange: boolean): void {
    const before = this.peers;
    this.peers = new Map();
    for (const id of membersOf(this.configuration)) {
      if (id === this.id) continue;
      const known = before.get(id);
      const peer = known ?? new Progress(id, this.log.lastIndex + 1, this.config);
      // A newcomer has until the next quorum check to be heard.
      if (known === undefined && isChange) peer.isActive = true;
      this.peers.set(id, peer);
    }
  }

  truncateFrom(index: number): void {
    assert(index > this.commit, `truncating the committed entry ${index}`);
    this.log.truncateFrom(index);
    this.durability.truncate(index);
    this.out.truncateFrom = index;
    this.out.trace({ kind: 'logTruncated', from: index });
    if (this.configurations.truncateFrom(index)) this.adoptConfiguration();
  }

  /** The driver holds a snapshot at `index` or later. */
  compactTo(index: number): void {
    assert(index <= this.applied, `compacting to ${index}, applied ${this.applied}`);
    if (index < this.log.firstIndex) return;
    this.log.compactTo(index);
    this.configurations.compactTo(index);
    this.out.trace({ kind: 'logCompacted', index });
  }

  /** The driver has put the snapshot in the place of log and state machine. */
  restore({ index, term, configuration, configurationIndex = index }: SnapshotHeader): void {
    assert(index > this.commit, `a snapshot at ${index}, committed ${this.commit}`);
    this.log.restore(index, term);
    this.durability.restore(index);
    this.configurations.restore({ index: configurationIndex, configuration });
    this.commit = this.applying = this.applied = index;
    this.adoptConfiguration();
  }

  snapshotHeader(index: number): SnapshotHeader | null {
    if (index < 1 || index > this.applying) return null;
    const term = this.log.termAt(index);
    if (term === null) return null;
    const { configuration, index: configurationIndex } = this.configurations.at(index);
    return { index, term, configuration, configurationIndex };
  }

  drop(message: RaftMessage, reason: DropReason): void {
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
      snapshots: listOf(out.snapshots),
      transfer: out.transfer,
      trace: listOf(out.traces),
    };
  }

  private packWrite(): LogWrite | null {
    const { out } = this;
    const isVoteNews =
      this.term !== this.storedTerm ||
      this.vote !== this.storedVote ||
      this.storedRecovery !== (this.recovery !== null);
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
    const { term, vote, commit, recovery } = this;
    const isRecovering = recovery !== null;
    const isVoteNews = term !== this.storedTerm || vote !== this.storedVote;
    const isNews = isVoteNews || isRecovering !== this.storedRecovery;
    if (!isNews && commit === this.storedCommit) return null;
    this.storedTerm = term;
    this.storedVote = vote;
    this.storedCommit = commit;
    this.storedRecovery = isRecovering;
    const hardState = { term, vote, commit };
    if (recovery === null) return hardState;
    return { ...hardState, isRecovering, ...(recovery.isVoteLost ? { isVoteLost: true } : null) };
  }

  /**
   * Invariant: nothing is applied before it is durable here, so applied never passes the log after
   * a power cut; nothing while a snapshot takes the place of the state machine.
   */
  private takeApplicable(): readonly LogEntry[] {
    if (this.installing !== null) return listOf<LogEntry>(null);
    const room = this.config.maxApplyingEntries - (this.applying - this.applied);
    const last = Math.min(this.commit, this.durability.durableIndex, this.applying + room);
    if (last <= this.applying) return listOf<LogEntry>(null);
    const entries = this.log.slice(this.applying + 1, last, Infinity);
    this.applying = last;
    return entries;
  }
}
