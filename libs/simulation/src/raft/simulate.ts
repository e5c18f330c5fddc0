// Runs one Raft cluster from one seed: first faults and checkers, then no faults and the demand to
// converge. The same seed gives the same run, told by its trace hash. It must not know real time,
// files or processes.
import {
  decodeRaftMessage,
  encodeRaftMessage,
  type NodeId,
  type RaftEffects,
  type RaftInput,
} from '@skein/raft';
import { calmDisk } from '../disk';
import { EventQueue } from '../event-queue';
import { checkLinearizable } from '../linearizability';
import { calmNetwork, SimulatedNetwork } from '../network';
import { Random } from '../random';
import { RaftCheckers, type Violation } from './checkers';
import { Clients, type ClientCounts } from './clients';
import { Faults } from './faults';
import { drawConditions, type FaultKind, type RaftSimulationOptions } from './options';
import { registerModel } from './register';
import { Replica, type ReplicaWorld } from './replica';
import { TraceHash } from './trace-hash';

export interface RaftSimulationResult {
  readonly seed: number;
  readonly members: number;
  /** Steps of all Raft cores together. */
  readonly steps: number;
  readonly simulatedMs: number;
  readonly faults: number;
  readonly faultsByKind: Readonly<Record<FaultKind, number>>;
  readonly clients: ClientCounts;
  readonly committedEntries: number;
  readonly violations: readonly Violation[];
  /** The linearizability search gave up on a part; the other checks stand. */
  readonly isLinearizabilityUnknown: boolean;
  /** Equal for equal runs. */
  readonly traceHash: string;
}

/** Simulated time in which a healed cluster must elect, catch up and serve. */
const CONVERGE_MS = 20_000;

export function simulateRaft(
  seed: number,
  options: RaftSimulationOptions = {},
): RaftSimulationResult {
  return new RaftSimulation(seed, options).run();
}

class RaftSimulation {
  private readonly random: Random;
  private readonly queue = new EventQueue();
  private readonly hash = new TraceHash();
  private readonly conditions: ReturnType<typeof drawConditions>;
  private readonly checkers: RaftCheckers;
  private readonly network: SimulatedNetwork<RaftInput>;
  private readonly replicas: readonly Replica[];
  private readonly clients: Clients;
  private readonly faults: Faults;
  private steps = 0;
  /** The replicas that live on when faults stop. */
  private core: readonly Replica[] = [];

  constructor(
    private readonly seed: number,
    private readonly options: RaftSimulationOptions,
  ) {
    this.random = new Random(seed);
    this.conditions = drawConditions(this.random.fork(), options);
    const { members, network } = this.conditions;
    const ids = Array.from({ length: members }, (_, i) => `n${i + 1}`);
    this.checkers = new RaftCheckers(
      () => this.queue.nowMs,
      () => this.replicas,
    );
    this.network = new SimulatedNetwork(this.queue, this.random.fork(), network, (to, input) =>
      this.replicaOf(to).receive(input),
    );
    const world = this.worldOf(ids);
    this.replicas = ids.map((id) => new Replica(id, world));
    const { queue, conditions, replicas } = this;
    this.clients = new Clients(queue, this.random.fork(), conditions, replicas);
    this.faults = new Faults(
      queue,
      this.random.fork(),
      conditions,
      replicas,
      this.network,
      (line) => this.tell(line),
    );
  }

  private worldOf(members: readonly NodeId[]): ReplicaWorld {
    const { queue, conditions, checkers } = this;
    return {
      queue,
      random: this.random.fork(),
      conditions,
      checkers,
      members,
      planted: this.options.planted ?? null,
      // Through the wire format, as in the real cluster.
      send: (from, { to, message }) => {
        const decoded = decodeRaftMessage(encodeRaftMessage(message));
        if ('error' in decoded) throw new Error(`a message does not survive: ${decoded.error}`);
        this.network.send(from, to, { kind: 'receive', message: decoded.message });
      },
      firstApplied: (command) => this.clients.applied(command),
      observed: (replica, input, effects) => this.observe(replica, input, effects),
    };
  }

  private replicaOf(id: NodeId): Replica {
    const replica = this.replicas.find((each) => each.id === id);
    if (replica === undefined) throw new Error(`no replica ${id}`);
    return replica;
  }

  private tell(line: string): void {
    this.options.onTrace?.(`${this.queue.nowMs.toFixed(2)} ${line}`);
  }

  private observe(replica: Replica, input: RaftInput, effects: RaftEffects): void {
    this.steps += 1;
    this.hash.addText(replica.id);
    this.hash.addText(input.kind);
    this.hash.addNumber(this.queue.nowMs);
    this.hash.addNumber(effects.send.length);
    this.hash.addNumber(effects.append?.lastIndex ?? 0);
    for (const fact of effects.trace) this.hash.addText(fact.kind);
    if (this.options.onTrace === undefined) return;
    if (input.kind === 'receive') this.tell(`${replica.id} < ${JSON.stringify(input.message)}`);
    else if (input.kind !== 'tick') this.tell(`${replica.id} ${input.kind}`);
    for (const fact of effects.trace) this.tell(`${replica.id} ! ${JSON.stringify(fact)}`);
  }

  run(): RaftSimulationResult {
    let isConverged = false;
    let isUnknown = false;
    try {
      this.runFaults();
      if (this.isClean) isConverged = this.converge();
      if (this.isClean) isUnknown = this.checkHistory(isConverged);
    } catch (error) {
      this.checkers.report('assertion', error instanceof Error ? error.message : String(error));
    }
    const { counts } = this.faults;
    return {
      seed: this.seed,
      members: this.replicas.length,
      steps: this.steps,
      simulatedMs: Math.round(this.queue.nowMs),
      faults: Object.values(counts).reduce((sum, count) => sum + count, 0),
      faultsByKind: counts,
      clients: this.clients.counts,
      committedEntries: this.checkers.committed.length,
      violations: this.checkers.violations,
      isLinearizabilityUnknown: isUnknown,
      traceHash: this.hash.digest(),
    };
  }

  private get isClean(): boolean {
    return this.checkers.violations.length === 0;
  }

  private runFaults(): void {
    this.replicas.forEach((replica, i) => {
      replica.start();
      this.tickForever(replica, this.conditions.tickMs * (this.conditions.tickRates[i] ?? 1));
    });
    this.clients.start();
    this.faults.start();
    while (this.isClean && this.queue.nowMs < this.conditions.faultMs) this.queue.runNext();
  }

  private tickForever(replica: Replica, everyMs: number): void {
    this.queue.after(everyMs, () => {
      replica.tick();
      this.tickForever(replica, everyMs);
    });
  }

  /**
   * Faults stop, for all or for a bare majority; the rest stays dead. What lives must agree and
   * serve.
   */
  private converge(): boolean {
    this.clients.stop();
    const majority = (this.replicas.length >> 1) + 1;
    const shuffled = this.random.shuffle(this.replicas);
    const core = this.random.chance(0.3) ? shuffled.slice(0, majority) : this.replicas;
    this.core = core;
    this.tell(`faults stop; the core is ${core.map((replica) => replica.id).join(' ')}`);
    this.network.conditions = calmNetwork;
    for (const replica of core) replica.disk.conditions = calmDisk;
    this.faults.stop(core);
    const endMs = this.queue.nowMs + CONVERGE_MS;
    let isServed = false;
    let isAsking = false;
    while (this.isClean && this.queue.nowMs < endMs) {
      this.queue.runNext();
      if (isServed && this.areEqual(core)) return true;
      const leader = core.find((replica) => replica.status?.role === 'leader');
      if (isServed || isAsking || leader === undefined) continue;
      isAsking = true;
      this.clients.callOnce(leader.id, (isDone) => {
        isAsking = false;
        isServed = isDone;
      });
    }
    if (this.isClean) this.checkers.report('liveness', this.describe(core));
    return false;
  }

  private areEqual(core: readonly Replica[]): boolean {
    const length = this.checkers.committed.length;
    return core.every((replica) => {
      const { status } = replica;
      if (status === null) return false;
      const { lastIndex, commitIndex, appliedIndex, durableIndex } = status;
      return [lastIndex, commitIndex, appliedIndex, durableIndex].every((at) => at === length);
    });
  }

  private describe(core: readonly Replica[]): string {
    const states = core.map(({ id, status }) =>
      status === null
        ? `${id} down`
        : `${id} ${status.role}@${status.term} last ${status.lastIndex} commit ${status.commitIndex}` +
          ` applied ${status.appliedIndex}`,
    );
    return `not converged in ${CONVERGE_MS} ms: ${states.join('; ')}`;
  }

  private checkHistory(isConverged: boolean): boolean {
    for (const { id } of this.clients.refusedButApplied()) {
      this.checkers.report('linearizability', `command ${id} was refused and yet took effect`);
    }
    if (isConverged) this.checkFinalLog();
    const history = this.clients.history(isConverged);
    const { result, part } = checkLinearizable(registerModel, history, ({ key }) => key);
    if (result === 'violated') {
      this.checkers.report('linearizability', `no order explains what clients saw of ${part}`);
    }
    return result === 'gave_up';
  }

  /** Every acknowledged write is in the log that all replicas agree on. */
  private checkFinalLog(): void {
    for (const replica of this.core) {
      const kept = new Set(replica.commandIds());
      for (const { id } of this.clients.acknowledgedWrites()) {
        if (kept.has(id)) continue;
        this.checkers.report(
          'acknowledged is never lost',
          `${replica.id} is without command ${id}`,
        );
      }
    }
  }
}
