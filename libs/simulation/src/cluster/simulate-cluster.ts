// Runs one whole cluster from one seed: consensus, store, disks, clients and an operator; first faults and
// checkers, then no faults and the demand to converge. The same seed gives the same run, told by its trace
// hash. It must not know real time, files or processes.
import {
  decodeRaftMessage,
  encodeRaftMessage,
  type Configuration,
  type Envelope,
  type RaftMessage,
  type RaftTrace,
} from '@skein/raft';
import { EventQueue } from '../event-queue';
import { checkLinearizable } from '../linearizability';
import { SimulatedNetwork } from '../network';
import { Random } from '../random';
import { TraceHash } from '../raft/trace-hash';
import { Answers } from './answers';
import { Atlas } from './atlas';
import { Clients } from './clients';
import { CommittedLog } from './committed-log';
import { ConfigurationRules } from './configuration-rules';
import { Convergence } from './convergence';
import { Faults } from './faults';
import { Invariants } from './invariants';
import { keyHistory, keyModel } from './key-model';
import { Operator } from './operator';
import {
  drawClusterConditions,
  type ClusterConditions,
  type ClusterFaultKind,
  type ClusterSimulationOptions,
} from './options';
import { forcePlant } from './plants';
import { Promises } from './promises';
import { ClusterReplica, type Payload, type ReplicaObserver, type ReplicaWorld } from './replica';
import { Violations, type ClusterViolation } from './violations';
import { Watcher } from './watchers';

export interface ClusterSimulationResult {
  readonly seed: number;
  /** Voters at the start. */
  readonly members: number;
  /** Inputs and calls to all replica cores together. */
  readonly steps: number;
  readonly simulatedMs: number;
  readonly faults: number;
  readonly faultsByKind: Readonly<
    Record<ClusterFaultKind | 'messageLost' | 'messageRepeated', number>
  >;
  readonly clients: Readonly<Record<'done' | 'refused' | 'unknown', number>>;
  readonly watchedRevisions: number;
  readonly committedEntries: number;
  readonly configurations: number;
  readonly snapshotsInstalled: number;
  readonly recoveries: number;
  readonly violations: readonly ClusterViolation[];
  /** The linearizability search gave up on a key; the other checks stand. */
  readonly isLinearizabilityUnknown: boolean;
  /** Equal for equal runs. */
  readonly traceHash: string;
}

export function simulateCluster(
  seed: number,
  options: ClusterSimulationOptions = {},
): ClusterSimulationResult {
  return new ClusterSimulation(seed, options).run();
}

class ClusterSimulation implements ReplicaObserver {
  private readonly random: Random;
  private readonly queue = new EventQueue();
  private readonly hash = new TraceHash();
  private readonly conditions: ClusterConditions;
  private readonly violations = new Violations(() => this.queue.nowMs);
  private readonly committed = new CommittedLog();
  private readonly founding: Configuration;
  private readonly replicas: ClusterReplica[] = [];
  private readonly world: ReplicaWorld;
  private readonly network: SimulatedNetwork<Payload>;
  private readonly atlas: Atlas;
  private readonly invariants: Invariants;
  private readonly promises: Promises;
  private readonly answers: Answers;
  private readonly clients: Clients;
  private readonly watchers: readonly Watcher[];
  private readonly operator: Operator;
  private readonly faults: Faults;
  private readonly carried = new WeakMap<RaftMessage, RaftMessage>();
  private steps = 0;
  private snapshotsInstalled = 0;
  private recoveries = 0;

  constructor(
    private readonly seed: number,
    private readonly options: ClusterSimulationOptions,
  ) {
    const { queue, violations, committed } = this;
    this.random = new Random(seed);
    const planted = options.planted ?? null;
    const drawn = drawClusterConditions(this.random.fork(), options);
    this.conditions = planted === null ? drawn : forcePlant(drawn, planted);
    const { conditions } = this;
    const ids = Array.from({ length: conditions.members }, (_, at) => `n${at + 1}`);
    this.founding = { incoming: ids, outgoing: [], learners: [] };
    const replicas = (): readonly ClusterReplica[] => this.replicas;
    const tell = (line: string): void => this.tell(line);
    const fork = (): Random => this.random.fork();
    this.atlas = new Atlas(committed, this.founding, replicas);
    this.promises = new Promises(() => queue.nowMs, violations);
    this.answers = new Answers(() => queue.nowMs, violations, committed, conditions);
    this.invariants = new Invariants(
      violations,
      committed,
      new ConfigurationRules(violations, committed, this.founding),
      (id) => this.replicas.find((each) => each.id === id),
      (entry, term) => committed.add(entry, term, queue.nowMs, this.answers.nextPosition()),
    );
    this.network = new SimulatedNetwork(queue, fork(), conditions.network, (to, payload) =>
      this.replicas.find((each) => each.id === to)?.receive(payload),
    );
    const send = (from: ClusterReplica, envelope: Envelope): void => this.send(from, envelope);
    const notify: ReplicaWorld['notify'] = ({ id }, to, notice) =>
      this.network.send(id, to, { notice });
    this.world = { queue, random: fork(), conditions, planted, send, notify, observer: this };
    this.clients = new Clients({
      queue,
      random: fork(),
      conditions,
      planted,
      answers: this.answers,
      promises: this.promises,
      replicas: () => this.reachable(),
    });
    const watcherWorld = {
      queue,
      random: fork(),
      conditions,
      planted,
      committed,
      violations,
      replicas: () => this.reachable(),
    };
    this.watchers = Array.from(
      { length: conditions.watchers },
      (_, at) => new Watcher(`w${at + 1}`, watcherWorld),
    );
    this.operator = new Operator({
      promises: this.promises,
      random: fork(),
      atlas: this.atlas,
      committed,
      violations,
      replicas,
      tell,
      spawn: () => this.spawn(),
      retire: (replica) => this.retire(replica),
    });
    this.faults = new Faults({
      queue,
      random: fork(),
      conditions,
      network: this.network,
      atlas: this.atlas,
      operator: this.operator,
      replicas,
      tell,
      lose: (replica) => this.lose(replica),
    });
    for (const id of ids) this.add(id, this.founding);
  }

  private add(id: string, configuration: Configuration): ClusterReplica {
    const { clockDrift } = this.conditions;
    const rate = 1 + (this.random.next() * 2 - 1) * clockDrift;
    const replica = new ClusterReplica({ id, configuration, rate }, this.world);
    this.replicas.push(replica);
    return replica;
  }

  private spawn(): ClusterReplica {
    const joiner: Configuration = { incoming: [], outgoing: [], learners: [] };
    const replica = this.add(`n${this.replicas.length + 1}`, joiner);
    replica.start();
    return replica;
  }

  private retire(replica: ClusterReplica): void {
    this.tell(`${replica.id} is retired`);
    replica.crash();
    replica.isGone = true;
  }

  private lose(replica: ClusterReplica): void {
    this.tell(`${replica.id} loses its disk`);
    replica.loseDisk();
    this.invariants.forgot(replica.id);
    replica.isGone = true;
    if (this.options.planted !== 'lost-disk-returns') return;
    replica.isGone = false;
    replica.isDamaged = false;
    replica.start();
  }

  /** The cluster has left its program behind: it ends, and comes back as a newer one. */
  private upgrade(replica: ClusterReplica): void {
    this.tell(`${replica.id} is upgraded`);
    replica.upgrade();
    replica.crash();
    const { isOver } = this.faults;
    this.queue.after(50, () => {
      if (isOver === this.faults.isOver && !replica.isUp && !replica.isGone) replica.start();
    });
  }

  /** Whoever a client may know. */
  private reachable(): readonly ClusterReplica[] {
    const present = this.replicas.filter(({ isGone }) => !isGone);
    return present.length > 0 ? present : this.replicas;
  }

  private send(from: ClusterReplica, { to, message }: Envelope): void {
    if (message.kind === 'voteResponse' && message.granted) {
      this.invariants.voted(from, message.term, to);
    }
    if (message.kind === 'vote') this.invariants.voted(from, message.term, from.id);
    this.network.send(from.id, to, { message: this.overTheWire(message) });
  }

  /** Through the wire format, as in the real cluster. */
  private overTheWire(message: RaftMessage): RaftMessage {
    const known = this.carried.get(message);
    if (known !== undefined) return known;
    const decoded = decodeRaftMessage(encodeRaftMessage(message));
    if ('error' in decoded) throw new Error(`a message does not survive: ${decoded.error}`);
    this.carried.set(message, decoded.message);
    return decoded.message;
  }

  private tell(line: string): void {
    this.options.onTrace?.(`${this.queue.nowMs.toFixed(2)} ${line}`);
  }

  started: ReplicaObserver['started'] = (replica, restored) => {
    if (restored.isDamaged) this.recoveries += 1;
    this.invariants.started(replica, restored);
    const { hardState, snapshot, entries } = restored;
    const found = { hardState, snapshot: snapshot?.header.index, entries: entries.length };
    this.tell(`${replica.id} starts ${JSON.stringify(found)}`);
  };

  stepped: ReplicaObserver['stepped'] = (replica, what) => {
    this.steps += 1;
    this.invariants.stepped(replica);
    const { status } = replica;
    this.hash.addText(replica.id);
    this.hash.addText(what);
    this.hash.addNumber(this.queue.nowMs);
    this.hash.addNumber(status?.lastIndex ?? 0);
    this.hash.addNumber(status?.commitIndex ?? 0);
    this.hash.addNumber(status?.term ?? 0);
  };

  appending: ReplicaObserver['appending'] = (replica, write) =>
    this.invariants.appending(replica, write);

  persisted: ReplicaObserver['persisted'] = (replica, write) =>
    this.invariants.persisted(replica, write);

  told(replica: ClusterReplica, fact: RaftTrace): void {
    this.hash.addText(fact.kind);
    this.tell(`${replica.id} ! ${JSON.stringify(fact)}`);
    if (fact.kind === 'snapshotInstalled') this.snapshotsInstalled += 1;
    if (fact.kind === 'roleChanged' && fact.role === 'leader') {
      this.invariants.becameLeader(replica, fact.term);
    }
  }

  failed(replica: ClusterReplica, error: Error): void {
    if (/^the cluster speaks protocol/.test(error.message)) return this.upgrade(replica);
    this.violations.report('assertion', `${replica.id}: ${error.stack ?? error.message}`);
  }

  run(): ClusterSimulationResult {
    let isUnknown = false;
    try {
      this.runFaults();
      if (this.violations.isClean) this.converge();
      if (this.violations.isClean) isUnknown = this.checkHistory();
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.violations.report('assertion', detail);
    }
    return this.result(isUnknown);
  }

  private runFaults(): void {
    const { queue, conditions } = this;
    this.tell(JSON.stringify(conditions));
    for (const replica of this.replicas.slice()) replica.start();
    this.clients.start();
    for (const watcher of this.watchers) watcher.start();
    this.faults.start();
    while (this.violations.isClean && queue.nowMs < conditions.faultMs) queue.runNext();
  }

  private converge(): void {
    const { queue, random, replicas, network, atlas, faults, clients, violations } = this;
    const convergence = new Convergence({
      queue,
      random,
      network,
      atlas,
      faults,
      clients,
      violations,
      replicas,
      committed: this.committed,
      promises: this.promises,
      tell: (line) => this.tell(line),
    });
    convergence.run();
  }

  private checkHistory(): boolean {
    this.answers.finish();
    const history = keyHistory(this.answers, this.committed);
    const { result, part } = checkLinearizable(keyModel, history, ({ key }) => key);
    if (result === 'violated') {
      this.violations.report('linearizability', `no order explains what clients saw of ${part}`);
    }
    return result === 'gave_up';
  }

  private result(isLinearizabilityUnknown: boolean): ClusterSimulationResult {
    const { network, committed } = this;
    const faultsByKind = {
      ...this.faults.counts,
      messageLost: network.lost,
      messageRepeated: network.repeated,
    };
    return {
      seed: this.seed,
      members: this.conditions.members,
      steps: this.steps,
      simulatedMs: Math.round(this.queue.nowMs),
      faults: Object.values(this.faults.counts).reduce((sum, count) => sum + count, 0),
      faultsByKind,
      clients: this.answers.counts,
      watchedRevisions: this.watchers.reduce((sum, { shown }) => sum + shown, 0),
      committedEntries: committed.lastIndex,
      configurations: committed.configurations.length,
      snapshotsInstalled: this.snapshotsInstalled,
      recoveries: this.recoveries,
      violations: this.violations.list,
      isLinearizabilityUnknown,
      traceHash: this.hash.digest(),
    };
  }
}
