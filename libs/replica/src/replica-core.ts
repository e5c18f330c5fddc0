// One replica, whole: Raft, the store, writes on their way, reads, snapshots, members and the duties of a leader. Takes one input
// at a time, decides, and asks its ports for what must be done. It knows neither clock, disk nor network but by its ports.

import {
  createRaft,
  type Configuration,
  type LogEntry,
  type LogWrite,
  type NodeId,
  type ProposalOutcome,
  type Raft,
  type RaftEffects,
  type RaftInput,
  type RaftMessage,
  type RaftStatus,
  type RaftTrace,
  type SnapshotHeader,
  type TransferOutcome,
} from '@skein/raft';
import {
  requestFault,
  type LeaseTimeToLive,
  type Store,
  type StoreReply,
  type StoreRequest,
} from '@skein/store';
import type { MemberChange, MembersReply } from './members';
import type { LeaseTime, Office } from './office';
import { partsOf, type Parts } from './parts';
import type { Proposals } from './proposals';
import type { Confirmation, ReadLevel, ReadRounds } from './read-rounds';
import {
  demandProtocol,
  raftConfigOf,
  type ReadOptions,
  type ReplicaSettings,
  type ReplicaStart,
} from './settings';
import { startTask } from './snapshots';
import { StepLoop } from './step-loop';
import {
  refused,
  type Answer,
  type MemberStanding,
  type ReplicaListener,
  type ReplicaNotice,
  type ReplicaPorts,
  type TransferReply,
} from './types';

export class ReplicaCore {
  listener: ReplicaListener | undefined;

  private readonly settings: ReplicaSettings;
  private readonly ports: ReplicaPorts;
  private readonly raft: Raft;
  private readonly loop: StepLoop<RaftInput>;
  private readonly proposals: Proposals;
  private readonly reads: ReadRounds;
  private readonly office: Office;
  private readonly parts: Parts;
  private current: Store;
  private isDeferred = false;
  private isLeader = false;
  private isInstalling = false;
  private term: number;
  private transferOutcome: TransferOutcome | null = null;
  private forced: ProposalOutcome | undefined;

  constructor({ settings, restored, store, ports }: ReplicaStart) {
    this.settings = settings;
    this.ports = ports;
    this.current = store;
    this.term = restored.hardState.term;
    demandProtocol(store, settings);
    this.raft = createRaft(raftConfigOf(settings), { ...restored, applied: store.appliedIndex });
    this.loop = new StepLoop<RaftInput>({
      run: (input) => this.run(this.raft.step(input)),
      failed: (error) => ports.failed(error),
    });
    // Until what was known to be committed is applied again, memory is older than what was served.
    const replayTo = restored.hardState.commit;
    this.parts = partsOf(
      {
        settings,
        ports,
        raft: this.raft,
        store: () => this.current,
        input: (input) => this.input(input),
        submit: (request, answer) => this.submit(request, answer),
        defer: () => this.defer(),
        isReplaying: () => this.current.appliedIndex < replayTo,
        ownStanding: () => this.ownStanding(),
        said: (fact) => this.listener?.said(fact),
      },
      restored,
    );
    ({ proposals: this.proposals, reads: this.reads, office: this.office } = this.parts);
  }

  /** As of now; another one after a snapshot was installed. */
  get store(): Store {
    return this.current;
  }

  get isInOffice(): boolean {
    return this.office.isHeld;
  }

  /** It is no member any more and stays quiet. */
  get isRemoved(): boolean {
    return this.parts.whereabouts.isRemoved;
  }

  get snapshotIndex(): number {
    return this.parts.snapshots.index;
  }

  /** Writes without an answer yet; zero before an orderly end. */
  get writesInFlight(): number {
    return this.proposals.inFlight;
  }

  status(): RaftStatus {
    return this.raft.status();
  }

  /** On the leader: what a member has said of itself of late. */
  standingOf(member: NodeId): MemberStanding | undefined {
    return member === this.settings.id ? this.ownStanding() : this.parts.standings.of(member);
  }

  /** Members heard within the last `withinMs`, this one among them. */
  heardWithin(withinMs: number): NodeId[] {
    return this.parts.whereabouts.heardWithin(withinMs);
  }

  /** Malformed requests are refused here: the log is for what may change the state. */
  submit(request: StoreRequest, answer: Answer<StoreReply>): void {
    if (this.loop.hasEnded) return answer(takesNoPart);
    const fault = requestFault(request);
    if (fault !== undefined) return answer(fault);
    this.proposals.submit(request, answer);
  }

  /** Answers when `store` may be read at this level, on any replica; look at it inside the answer. */
  read(level: ReadLevel, options: ReadOptions, answer: Answer<Confirmation>): void {
    if (this.loop.hasEnded) return answer(takesNoPart);
    this.reads.at(level, options.maxStalenessMs ?? 0, answer);
  }

  /** As a linearizable read, but for what only the leader in office can serve. */
  confirmOffice(answer: Answer<Confirmation>): void {
    this.office.whileInOffice(answer);
  }

  keepAlive(lease: string, answer: Answer<{ lease: string; ttlMs: number }>): void {
    this.office.keepAlive(lease, answer);
  }

  leases(answer: Answer<readonly LeaseTime[]>): void {
    this.office.leases(answer);
  }

  leaseTimeToLive(lease: string, answer: Answer<LeaseTimeToLive & LeaseTime>): void {
    this.office.leaseTimeToLive(lease, answer);
  }

  /** The term of an applied entry that the log still knows. */
  termAt(index: number): number | undefined {
    return this.raft.snapshotHeader(index)?.term;
  }

  /** One change at a time; answers when it is in force and committed. */
  changeMembers(change: MemberChange, answer: Answer<MembersReply>): void {
    this.parts.members.change(change, answer);
  }

  /** Hands leadership to `to`, or to the most caught-up voter; answers when somebody else leads. */
  transfer(to: NodeId | null, answer: Answer<TransferReply>): void {
    this.transferOutcome = null;
    this.input({ kind: 'transferLeadership', to });
    this.parts.transfers.started(this.transferOutcome, to, this.ports.clock.nowMs(), answer);
  }

  /**
   * An operator's decision after a quorum is lost for good: this replica opens a new term as a voter of `configuration`. The
   * caller has made the new epoch durable, so that nobody of the old one is listened to.
   */
  forceConfiguration(configuration: Configuration): ProposalOutcome | undefined {
    this.forced = undefined;
    this.input({ kind: 'forceConfiguration', id: forcedId, configuration });
    return this.forced;
  }

  /**
   * Ends for good what it does as a member, though it is whole: its cluster goes on without it. Says no more, hears no more,
   * answers every request with a refusal.
   */
  retire(): void {
    if (this.loop.hasEnded) return;
    this.loop.hasEnded = true;
    this.isLeader = false;
    this.leadershipLost();
    this.proposals.giveUp(Infinity);
    this.reads.rejectAll();
  }

  /** Writes that have become durable, in the order given to the log. */
  durable(writes: readonly LogWrite[]): void {
    if (this.loop.hasEnded) return;
    for (const { then } of writes) for (const envelope of then) this.ports.send(envelope);
    const last = writes.at(-1);
    if (last === undefined) return;
    const { id, lastIndex, lastTerm } = last;
    this.input({ kind: 'appended', id, lastIndex, lastTerm });
  }

  receive(message: RaftMessage): void {
    this.parts.whereabouts.heard(message);
    this.input({ kind: 'receive', message });
  }

  heard(notice: ReplicaNotice): void {
    if (this.loop.hasEnded) return;
    if (notice.kind === 'standing') this.parts.standings.heard(notice, this.ports.clock.nowMs());
    else if (notice.kind === 'removed') {
      this.loop.guard(() => this.parts.whereabouts.toldRemoved(notice.index));
    }
  }

  /** Answers to LogPort.saveSnapshot, and what LogPort.readSnapshot may find: the disk has lost some of the newest one. */
  snapshotSaved(header: SnapshotHeader, bytes: number): void {
    this.loop.guard(() => this.parts.snapshots.saved(header, bytes));
  }
  snapshotFailed(header: SnapshotHeader, reason: string): void {
    this.loop.guard(() => this.parts.snapshots.failed(header, reason));
  }
  snapshotDamaged(): void {
    this.loop.guard(() => this.parts.snapshots.damaged());
  }

  /** An answer to LogPort.install: log and snapshot are durable, and `store` is the state at `header.index`. */
  installed(header: SnapshotHeader, store: Store): void {
    this.loop.guard(() => {
      const { index, term } = header;
      this.isInstalling = false;
      this.current = store;
      demandProtocol(store, this.settings);
      this.parts.snapshots.installed(header);
      this.proposals.giveUp(index);
      this.listener?.storeReplaced(store, header);
      this.listener?.said({ kind: 'snapshotInstalled', index, term });
      this.input({ kind: 'snapshotInstalled', index, term });
      this.reads.applied();
    });
  }

  /** The other answer to LogPort.install: nothing has changed. */
  installRejected({ index, term }: SnapshotHeader): void {
    this.isInstalling = false;
    this.input({ kind: 'snapshotRejected', index, term });
  }

  /** Called at an even pace. `outstandingWriteMs`: how long the oldest unfinished write of the log has taken; 0 if none. */
  tick(outstandingWriteMs: number): void {
    const nowMs = this.ports.clock.nowMs();
    if (outstandingWriteMs > this.settings.diskStallMs) this.input({ kind: 'diskStalled' });
    if (!this.parts.whereabouts.isRemoved) this.input({ kind: 'tick', nowMs });
    this.loop.guard(() => this.everyTick(nowMs));
  }

  /** The answer to `defer`: what gathered in this turn goes on its way. */
  flush(): void {
    this.isDeferred = false;
    if (this.loop.hasEnded) return;
    this.proposals.flush();
    this.reads.flush();
  }

  input(input: RaftInput): void {
    this.loop.input(input);
  }

  private defer(): void {
    if (this.isDeferred) return;
    this.isDeferred = true;
    this.ports.defer();
  }

  private everyTick(nowMs: number): void {
    this.proposals.tick(nowMs);
    this.parts.transfers.tick(nowMs);
    this.parts.snapshots.tick(this.isInstalling);
    this.parts.whereabouts.tick(nowMs);
    this.parts.members.tick(nowMs, this.office.isHeld);
    if (this.office.isHeld) {
      this.office.tick(nowMs);
      this.parts.standings.tick(nowMs);
    }
    this.listener?.tick(nowMs);
  }

  private run(effects: RaftEffects): void {
    const { ports } = this;
    if (effects.append !== null) ports.log.write(effects.append);
    for (const envelope of effects.send) ports.send(envelope);
    if (effects.transfer !== null) this.transferOutcome = effects.transfer;
    for (const trace of effects.trace) this.trace(trace);
    for (const outcome of effects.proposals) this.settled(outcome);
    if (effects.apply.length > 0) this.apply(effects.apply);
    for (const outcome of effects.reads) this.reads.settled(outcome);
    for (const task of effects.snapshots) {
      if (task.kind === 'install') this.isInstalling = true;
      startTask(ports.log, task);
    }
  }

  private settled(outcome: ProposalOutcome): void {
    const id = outcome.id ?? 0;
    if (id >= 0) this.proposals.settled(outcome);
    else if (id === forcedId) this.forced = outcome;
    else this.parts.members.settled(outcome);
  }

  private trace(trace: RaftTrace): void {
    this.ports.trace(trace);
    if (trace.kind === 'recoveryEnded') this.listener?.said({ kind: 'recovered' });
    if (trace.kind !== 'roleChanged') return;
    const wasLeader = this.isLeader;
    this.isLeader = trace.role === 'leader';
    this.term = trace.term;
    this.parts.whereabouts.leaderIs(trace.leader);
    this.listener?.roleChanged(this.raft.status());
    if (wasLeader && !this.isLeader) this.leadershipLost();
  }

  private apply(entries: readonly LogEntry[]): void {
    let bytes = 0;
    for (const entry of entries) {
      bytes += entry.data.length;
      if (entry.kind === 'command') this.applyCommand(entry);
      else this.applyOther(entry);
    }
    this.parts.snapshots.applied(bytes);
    this.listener?.caughtUp();
    this.reads.applied();
    this.input({ kind: 'applied', index: entries.at(-1)?.index ?? 0 });
  }

  private applyCommand(entry: LogEntry): void {
    const command = this.proposals.commandOf(entry);
    const outcomes = this.current.apply(entry.index, command);
    for (const { type } of command.requests) {
      if (type === 'setProtocol') demandProtocol(this.current, this.settings);
    }
    if (this.office.isHeld) this.office.applied(command, outcomes);
    this.proposals.applied(entry, outcomes);
  }

  private applyOther(entry: LogEntry): void {
    this.current.apply(entry.index, null);
    this.proposals.applied(entry, []);
    if (entry.kind === 'configuration') {
      this.parts.members.applied(entry);
      this.parts.whereabouts.configurationApplied(entry);
    }
    // Everything that earlier leaders had committed lies before the first entry of the own term.
    const isOwnTermOpened = entry.kind === 'noop' && entry.term === this.term && this.isLeader;
    if (!isOwnTermOpened) return;
    this.office.take();
    this.parts.standings.takeOffice();
    this.listener?.tookOffice(this.term);
  }

  private leadershipLost(): void {
    const wasInOffice = this.office.isHeld;
    this.office.leave();
    this.parts.members.leadershipLost();
    this.proposals.leadershipLost(this.ports.clock.nowMs());
    if (wasInOffice) this.listener?.leftOffice();
  }

  private ownStanding(): MemberStanding {
    const { id, protocolMax, version, priority } = this.settings;
    return {
      from: id,
      protocolMax,
      version,
      priority,
      diskLatencyMs: this.ports.log.latencyMs(),
      snapshotIndex: this.parts.snapshots.index,
      hashPoints: this.current.hashPoints.slice(-4),
    };
  }
}

/** Proposals of the core's own have negative ids. */
const forcedId = -1;
const takesNoPart = refused('unavailable', 'This replica takes no part any more');
