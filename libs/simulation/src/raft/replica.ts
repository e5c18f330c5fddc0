// One simulated replica: drives the Raft core as a real driver would, over a simulated disk and
// network, with a register as its state machine. It crashes, restarts, pauses and stalls on order.
// It must not know why, nor what is checked.
import {
  createRaft,
  type Envelope,
  type LogEntry,
  type LogWrite,
  type NodeId,
  type Raft,
  type RaftEffects,
  type RaftInput,
  type RaftStatus,
} from '@skein/raft';
import { SimulatedDisk } from '../disk';
import type { EventQueue } from '../event-queue';
import type { Random } from '../random';
import type { ObservedReplica, RaftCheckers } from './checkers';
import type { PlantedFault, SwarmConditions } from './options';
import { applyCommand, decodeCommand, encodeCommand, type RegisterCommand } from './register';

/** `refused`: certainly without effect. No answer at all: unknown. */
export type Reply =
  | { readonly kind: 'done'; readonly value: string }
  | { readonly kind: 'refused'; readonly leader: NodeId | null };

export interface ReplicaWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly conditions: SwarmConditions;
  readonly checkers: RaftCheckers;
  readonly planted: PlantedFault | null;
  readonly members: readonly NodeId[];
  readonly send: (from: NodeId, envelope: Envelope) => void;
  /** The first time that any replica applies a command. */
  readonly firstApplied: (command: RegisterCommand) => void;
  /** Every step of every replica, in order. */
  readonly observed: (replica: Replica, input: RaftInput, effects: RaftEffects) => void;
}

interface PendingWrite {
  readonly term: number;
  readonly reply: (reply: Reply) => void;
}

interface PendingRead {
  readonly key: string;
  readonly reply: (reply: Reply) => void;
}

export class Replica implements ObservedReplica {
  life = 0;
  log: LogEntry[] = [];
  durableLog: LogEntry[] = [];
  isUp = false;
  isPaused = false;
  readonly disk: SimulatedDisk<LogWrite>;
  private hardState: { term: number; vote: NodeId | null; commit: number };
  private raft: Raft | null = null;
  private deferred: (() => void)[] = [];
  private values = new Map<string, string>();
  private applied = 0;
  private applying: LogEntry[] = [];
  private writes = new Map<number, PendingWrite>();
  private reads = new Map<number, PendingRead>();
  private readyReads: (PendingRead & { readonly index: number })[] = [];
  private nextContext = 0;
  private nextProposal = 0;

  constructor(
    readonly id: NodeId,
    private readonly world: ReplicaWorld,
  ) {
    this.hardState = { term: 0, vote: null, commit: 0 };
    this.disk = new SimulatedDisk(
      world.queue,
      world.random.fork(),
      world.conditions.disk,
      {
        persist: (write) => this.persist(write),
        completed: (writes) => this.whenAwake(() => this.writesCompleted(writes)),
      },
      world.planted === 'disk-lies',
    );
  }

  get status(): RaftStatus | null {
    return this.raft?.status() ?? null;
  }

  valueOf(key: string): string {
    return this.values.get(key) ?? '';
  }

  /** The commands that the disk holds as part of the log. */
  commandIds(): number[] {
    const commands = this.durableLog.filter((entry) => entry.kind === 'command');
    return commands.map((entry) => decodeCommand(entry.data).id);
  }

  start(): void {
    const { conditions, random, members, planted } = this.world;
    this.isUp = true;
    this.life += 1;
    this.log = this.durableLog.slice();
    if (!conditions.isStateDurable) {
      this.values = new Map();
      this.applied = 0;
    }
    if (planted === 'disk-forgets-votes') this.hardState.vote = null;
    const chance = random.fork();
    const { maxInflightMessages, maxMessageBytes, maxApplyingEntries, electionTicks } = conditions;
    this.raft = createRaft(
      {
        id: this.id,
        random: () => chance.next(),
        electionTicks,
        heartbeatTicks: 1,
        maxInflightMessages,
        maxMessageBytes,
        maxApplyingEntries,
      },
      {
        hardState: { ...this.hardState },
        entries: this.log.slice(),
        configuration: { incoming: members, outgoing: [], learners: [] },
        applied: this.applied,
      },
    );
  }

  crash(): void {
    this.isUp = false;
    this.isPaused = false;
    this.raft = null;
    this.disk.crash();
    this.deferred = [];
    this.applying = [];
    this.writes = new Map();
    this.reads = new Map();
    this.readyReads = [];
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    const deferred = this.deferred;
    this.deferred = [];
    for (const run of deferred) this.whenAwake(run);
  }

  /** Runs now, after the pause, or never if a crash comes first. */
  private whenAwake(run: () => void): void {
    if (!this.isUp) return;
    if (this.isPaused) this.deferred.push(run);
    else run();
  }

  receive(input: RaftInput): void {
    this.whenAwake(() => this.step(input));
  }

  tick(): void {
    if (!this.isUp || this.isPaused) return;
    const { electionTicks, tickMs } = this.world.conditions;
    if (this.disk.waitedMs > electionTicks * tickMs) this.step({ kind: 'diskStalled' });
    this.step({ kind: 'tick' });
  }

  request(command: RegisterCommand, reply: (reply: Reply) => void): void {
    if (!this.isUp) return reply({ kind: 'refused', leader: null });
    this.whenAwake(() => {
      if (command.kind === 'get') this.requestRead(command.key, reply);
      else this.requestWrite(command, reply);
    });
  }

  private requestRead(key: string, reply: (reply: Reply) => void): void {
    if (this.world.planted === 'stale-reads') {
      return reply({ kind: 'done', value: this.valueOf(key) });
    }
    const context = this.nextContext;
    this.nextContext += 1;
    this.reads.set(context, { key, reply });
    this.step({ kind: 'readIndex', context });
  }

  private requestWrite(command: RegisterCommand, reply: (reply: Reply) => void): void {
    const id = this.nextProposal;
    this.nextProposal += 1;
    const data = encodeCommand(command);
    const { proposals } = this.step({ kind: 'propose', proposals: [{ id, data }] });
    const outcome = proposals[0];
    if (outcome === undefined) return;
    if (outcome.accepted) this.writes.set(outcome.index, { term: outcome.term, reply });
    else reply({ kind: 'refused', leader: outcome.leader });
  }

  private step(input: RaftInput): RaftEffects {
    if (this.raft === null) throw new Error(`${this.id} is down`);
    const effects = this.raft.step(input);
    const { append } = effects;
    if (append !== null) this.mirror(append);
    const { checkers } = this.world;
    for (const fact of effects.trace) {
      if (fact.kind === 'roleChanged' && fact.role === 'leader') {
        checkers.becameLeader(this, fact.term);
      }
    }
    checkers.stepped(this, this.raft.status());
    this.world.observed(this, input, effects);
    if (append !== null) this.disk.write(append);
    for (const envelope of effects.send) this.send(envelope);
    if (effects.apply.length > 0) this.enqueueApply(effects.apply);
    for (const outcome of effects.reads) this.settleRead(outcome);
    return effects;
  }

  private mirror(write: LogWrite): void {
    if (write.truncateFrom !== null) this.log.length = write.truncateFrom - 1;
    for (const entry of write.entries) {
      const prevTerm = this.log[this.log.length - 1]?.term ?? 0;
      this.world.checkers.appended(this.id, entry, prevTerm);
      this.log.push(entry);
    }
  }

  private send(envelope: Envelope): void {
    const { message, to } = envelope;
    const { checkers } = this.world;
    if (message.kind === 'voteResponse' && message.granted)
      checkers.voted(this.id, message.term, to);
    if (message.kind === 'vote') checkers.voted(this.id, message.term, this.id);
    this.world.send(this.id, envelope);
  }

  private persist(write: LogWrite): void {
    if (write.hardState !== null) this.hardState = { ...write.hardState };
    if (write.truncateFrom !== null) this.durableLog.length = write.truncateFrom - 1;
    for (const entry of write.entries) this.durableLog.push(entry);
  }

  private writesCompleted(writes: readonly LogWrite[]): void {
    const last = writes[writes.length - 1];
    if (last === undefined) return;
    for (const write of writes) for (const envelope of write.then) this.send(envelope);
    const { id, lastIndex, lastTerm } = last;
    this.step({ kind: 'appended', id, lastIndex, lastTerm });
  }

  private enqueueApply(entries: readonly LogEntry[]): void {
    const isIdle = this.applying.length === 0;
    this.applying.push(...entries);
    if (isIdle) this.scheduleApply();
  }

  private scheduleApply(): void {
    const { life } = this;
    this.world.queue.after(this.world.random.next() * 2, () => {
      if (life === this.life) this.whenAwake(() => this.applyAll());
    });
  }

  private applyAll(): void {
    const entries = this.applying;
    this.applying = [];
    for (const entry of entries) this.applyOne(entry);
    this.answerReads();
    this.step({ kind: 'applied', index: this.applied });
  }

  private applyOne(entry: LogEntry): void {
    this.world.checkers.applied(this.id, entry, this.applied + 1);
    this.applied = entry.index;
    let value = '';
    if (entry.kind === 'command') {
      const command = decodeCommand(entry.data);
      value = applyCommand(this.valueOf(command.key), command);
      this.values.set(command.key, value);
      this.world.firstApplied(command);
    }
    const waiting = this.writes.get(entry.index);
    if (waiting === undefined) return;
    this.writes.delete(entry.index);
    if (waiting.term === entry.term) {
      this.world.checkers.acknowledged(entry.index, entry.term);
      waiting.reply({ kind: 'done', value });
    } else {
      waiting.reply({ kind: 'refused', leader: null });
    }
  }

  private settleRead(outcome: RaftEffects['reads'][number]): void {
    const read = this.reads.get(outcome.context);
    if (read === undefined) return;
    this.reads.delete(outcome.context);
    if (!outcome.confirmed) return read.reply({ kind: 'refused', leader: outcome.leader });
    this.readyReads.push({ ...read, index: outcome.index });
    this.answerReads();
  }

  private answerReads(): void {
    const ready = this.readyReads.filter((read) => read.index <= this.applied);
    if (ready.length === 0) return;
    this.readyReads = this.readyReads.filter((read) => read.index > this.applied);
    for (const { key, reply } of ready) reply({ kind: 'done', value: this.valueOf(key) });
  }
}
