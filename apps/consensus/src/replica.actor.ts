// One Raft replica: runs the core, does what it asks of log, peers and store, and says when it leads. Everything that happens
// goes through `step`, one input at a time. It knows nothing of contracts and of what clients may ask.

import { type clusterStatusContract, type ClusterStatus, type ReplyOf } from '@skein/contracts';
import type { Messenger } from '@skein/messaging';
import {
  createRaft,
  type LogEntry,
  type LogWrite,
  type Raft,
  type RaftEffects,
  type RaftInput,
  type RaftStatus,
  type RaftTrace,
  type TransferOutcome,
} from '@skein/raft';
import { openRaftLog, type RaftLog } from '@skein/raft-sqlite';
import type { ServiceLogger } from '@skein/service-boot';
import {
  createStore,
  type Outcome,
  type Store,
  type StoreCommand,
  type StoreReply,
} from '@skein/store';
import type { ConsensusConfiguration } from './consensus.config';
import { Peers } from './peers';
import { Proposals } from './proposals';
import { ReadRounds } from './read-rounds';
import { Ticker } from './ticker';

/** What the replica tells whoever serves clients on its behalf. Called inside `step`: must not throw. */
export interface ReplicaListener {
  /** It leads, and has applied everything that earlier leaders had committed. */
  tookOffice(term: number): void;
  leftOffice(): void;
  /** An entry's command was applied. */
  applied(command: StoreCommand, outcomes: readonly Outcome<StoreReply>[]): void;
  /** Every entry that was ready is applied. */
  caughtUp(): void;
  tick(nowMs: number): void;
  roleChanged(status: RaftStatus): void;
}

export interface ReplicaOptions {
  readonly config: ConsensusConfiguration;
  readonly messenger: Messenger;
  readonly logger: ServiceLogger;
  /** Log or core can't be trusted any more: the process must end. Called once; nothing is done after it. */
  readonly onFailure: (error: Error) => void;
  /** As the log's option of this name. */
  readonly logWorker?: URL | null;
}

export class Replica {
  readonly store: Store = createStore();
  readonly proposals: Proposals;
  readonly reads: ReadRounds;
  listener: ReplicaListener | undefined;

  private readonly peers: Peers;
  private readonly ticker: Ticker;
  private raft!: Raft;
  private log!: RaftLog;
  private readonly inputs: RaftInput[] = [];
  private isStepping = false;
  private hasFailed = false;
  private isLeader = false;
  private isInOffice = false;
  private term = 0;
  private lastTransfer: TransferOutcome | null = null;

  private constructor(private readonly options: ReplicaOptions) {
    const { messenger, config, logger } = options;
    const { clusterId, replicaId } = config;
    this.proposals = new Proposals(
      (proposals) => this.step({ kind: 'propose', proposals }),
      () => Date.now(),
    );
    this.reads = new ReadRounds(
      (context) => this.step({ kind: 'readIndex', context }),
      () => this.store.status.appliedIndex,
    );
    this.peers = new Peers({
      messenger,
      clusterId,
      replicaId,
      receive: (message) => this.step({ kind: 'receive', message }),
      onMalformed: (fault) => logger.warn({ fault }, 'a peer sent something unreadable'),
    });
    this.ticker = new Ticker(config.tickMs, (nowMs) => this.tick(nowMs));
  }

  /** Opens the log and restores what it holds; nothing is heard or said before `start`. Throws a RaftLogError. */
  static async open(options: ReplicaOptions): Promise<Replica> {
    const replica = new Replica(options);
    const { clusterId, replicaId, voters, dataDir, electionTicks, heartbeatTicks } = options.config;
    replica.log = await openRaftLog({
      directory: dataDir,
      clusterId,
      replicaId,
      configuration: { incoming: [...voters].sort(), outgoing: [], learners: [] },
      ...(options.logWorker === undefined ? {} : { worker: options.logWorker }),
      onDurable: (writes) => replica.durable(writes),
      onFailure: (error) => replica.fail(error),
    });
    replica.raft = createRaft(
      { id: replicaId, random: Math.random, electionTicks, heartbeatTicks },
      replica.log.restored,
    );
    return replica;
  }

  start(): void {
    this.peers.listen();
    this.ticker.start();
  }

  /** Hands leadership over if it can, so that nobody has to wait for an election. */
  async stop(): Promise<void> {
    if (this.isLeader) {
      this.transferLeadership(null);
      for (let waited = 0; this.isLeader && waited < 500; waited += 10) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    this.ticker.stop();
    this.peers.stop();
    await this.log.close();
  }

  transferLeadership(to: string | null): TransferOutcome | null {
    this.lastTransfer = null;
    this.step({ kind: 'transferLeadership', to });
    return this.lastTransfer;
  }

  raftStatus(): RaftStatus {
    return this.raft.status();
  }

  /** As this replica sees the cluster; only the leader knows of the others. */
  clusterStatus(): ClusterStatus {
    const status = this.raft.status();
    const { clusterId, replicaId } = this.options.config;
    return {
      clusterId,
      replicaId,
      leaderId: status.leader,
      term: status.term,
      role: status.role,
      lastIndex: status.lastIndex,
      commitIndex: status.commitIndex,
      appliedIndex: this.store.status.appliedIndex,
      revision: this.store.status.revision,
      members: membersOf(status),
    };
  }

  private tick(nowMs: number): void {
    if (this.log.outstandingMs(nowMs) > this.options.config.diskStallMs) {
      this.step({ kind: 'diskStalled' });
    }
    this.step({ kind: 'tick' });
    this.listener?.tick(nowMs);
  }

  private durable(writes: readonly LogWrite[]): void {
    if (this.hasFailed) return;
    for (const { then } of writes) for (const envelope of then) this.peers.send(envelope);
    const last = writes.at(-1);
    if (last === undefined) return;
    const { id, lastIndex, lastTerm } = last;
    this.step({ kind: 'appended', id, lastIndex, lastTerm });
  }

  /** Invariant: a step is done in full or is the last one. Its caller, who may go on after anything, is not asked. */
  private step(input: RaftInput): void {
    if (this.hasFailed) return;
    this.inputs.push(input);
    if (this.isStepping) return;
    this.isStepping = true;
    try {
      for (let next = this.inputs.shift(); next !== undefined; next = this.inputs.shift()) {
        this.run(this.raft.step(next));
      }
    } catch (thrown) {
      this.fail(thrown instanceof Error ? thrown : new Error(String(thrown)));
    } finally {
      this.isStepping = false;
    }
  }

  private fail(error: Error): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.ticker.stop();
    this.peers.stop();
    this.options.onFailure(error);
  }

  private run(effects: RaftEffects): void {
    if (effects.append !== null) this.log.write(effects.append);
    for (const envelope of effects.send) this.peers.send(envelope);
    if (effects.transfer !== null) this.lastTransfer = effects.transfer;
    for (const trace of effects.trace) this.trace(trace);
    for (const outcome of effects.proposals) this.proposals.settled(outcome);
    if (effects.apply.length > 0) this.apply(effects.apply);
    for (const outcome of effects.reads) this.reads.settled(outcome);
    if (this.isInOffice && !this.isLeader) this.leaveOffice();
  }

  private trace(trace: RaftTrace): void {
    if (trace.kind === 'commitAdvanced' || trace.kind === 'voteAnswered') return;
    const { logger } = this.options;
    if (trace.kind !== 'roleChanged') {
      logger.debug(trace, 'raft');
      return;
    }
    logger.info(trace, 'role changed');
    this.isLeader = trace.role === 'leader';
    this.term = trace.term;
    this.listener?.roleChanged(this.raft.status());
  }

  private apply(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      if (entry.kind === 'command') this.applyCommand(entry);
      else this.store.apply(entry.index, null);
      const isOwnTermOpened = entry.kind === 'noop' && entry.term === this.term && this.isLeader;
      if (isOwnTermOpened) this.takeOffice();
    }
    this.listener?.caughtUp();
    this.reads.applied();
    this.step({ kind: 'applied', index: entries.at(-1)?.index ?? 0 });
  }

  private applyCommand(entry: LogEntry): void {
    const command = this.proposals.commandOf(entry);
    const outcomes = this.store.apply(entry.index, command);
    this.listener?.applied(command, outcomes);
    this.proposals.applied(entry, outcomes);
  }

  private takeOffice(): void {
    this.isInOffice = true;
    this.listener?.tookOffice(this.term);
  }

  private leaveOffice(): void {
    this.isInOffice = false;
    this.listener?.leftOffice();
    this.proposals.abandon();
  }
}

type Member = ReplyOf<typeof clusterStatusContract>['members'][number];

function membersOf(status: RaftStatus): Member[] {
  const { id, role, lastIndex, durableIndex, configuration, peers } = status;
  const self: Member = {
    id,
    role,
    matchIndex: durableIndex,
    lag: lastIndex - durableIndex,
    healthy: !status.isDiskStalled,
  };
  const others = peers.map((peer): Member => {
    const isLearner = configuration.learners.includes(peer.id);
    return {
      id: peer.id,
      role: peer.isActive ? (isLearner ? 'learner' : 'follower') : 'unreachable',
      matchIndex: peer.matchIndex,
      lag: lastIndex - peer.matchIndex,
      healthy: peer.isActive,
    };
  });
  return [self, ...others].sort((one, other) => (one.id < other.id ? -1 : 1));
}
