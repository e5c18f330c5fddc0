// The small world of a scenario: replicas whose network and disks move only on command. Messages
// wait in one list, writes of a slow disk wait in another. It must not know the language that the
// scenarios are written in.
import { createRaft } from '../raft';
import type { RaftMessage } from '../messages';
import type {
  Envelope,
  LogWrite,
  NodeId,
  Raft,
  RaftConfig,
  RaftEffects,
  RaftInput,
  SnapshotHeader,
  SnapshotTask,
} from '../types';
import { ScenarioDisk } from './disk';
import {
  formatEntries,
  formatMessage,
  formatProposal,
  formatRead,
  formatStatus,
  formatTrace,
  formatTransfer,
  formatWrite,
} from './format';

interface Member {
  raft: Raft;
  readonly disk: ScenarioDisk;
  pending: LogWrite[];
  isSlow: boolean;
  /** Installs wait for a command as well. */
  isInstallSlow: boolean;
  installing: SnapshotHeader | null;
  applied: number;
  nowMs: number;
}

export interface Flight {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly message: RaftMessage;
}

export type Limits = Omit<RaftConfig, 'id' | 'random'>;

const MAX_ROUNDS = 500;
const TICK_MS = 100;

export class ScenarioWorld {
  flights: Flight[] = [];
  /** Members that nobody reaches and that reach nobody; what they say is not told. */
  readonly cut = new Set<NodeId>();
  /** Messages and writes are told as well as what they lead to. */
  isVerbose = true;
  private readonly members = new Map<NodeId, Member>();
  private lines: string[] = [];

  constructor(
    private readonly voters: readonly NodeId[],
    private readonly limits: Limits,
  ) {
    for (const id of voters) this.place(id, new ScenarioDisk());
  }

  get ids(): readonly NodeId[] {
    return [...this.members.keys()];
  }

  takeLines(): string[] {
    const { lines } = this;
    this.lines = [];
    return lines;
  }

  say(line: string): void {
    this.lines.push(line);
  }

  member(id: NodeId): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  /** (Re)starts a member from a disk, with its last snapshot's state of the state machine. */
  place(id: NodeId, disk: ScenarioDisk, limits: Limits = {}): void {
    const before = this.members.get(id);
    const isFounder = this.voters.includes(id);
    const raft = createRaft(
      { ...this.limits, ...limits, id, random: () => 0 },
      disk.restored({ incoming: isFounder ? this.voters : [], outgoing: [], learners: [] }),
    );
    this.members.set(id, {
      raft,
      disk,
      pending: [],
      isSlow: before?.isSlow ?? false,
      isInstallSlow: before?.isInstallSlow ?? false,
      installing: null,
      applied: raft.status().appliedIndex,
      nowMs: before?.nowMs ?? 0,
    });
  }

  /** Power goes; of the pending writes the first `kept` have reached the disk. */
  crash(id: NodeId, kept: number): void {
    const { pending, disk } = this.member(id);
    for (const write of pending.slice(0, kept)) disk.persist(write);
    this.place(id, disk);
  }

  tick(id: NodeId): RaftEffects {
    const member = this.member(id);
    if (this.limits.leaseMs === undefined) return this.step(id, { kind: 'tick' });
    member.nowMs += TICK_MS;
    return this.step(id, { kind: 'tick', nowMs: member.nowMs });
  }

  step(id: NodeId, input: RaftInput): RaftEffects {
    const member = this.member(id);
    const effects = member.raft.step(input);
    this.tell(id, effects);
    if (effects.append !== null) {
      member.pending.push(effects.append);
      if (!member.isSlow) this.completeWrites(id, Infinity);
    }
    for (const task of effects.snapshots) this.perform(id, task);
    const last = effects.apply[effects.apply.length - 1];
    if (last !== undefined) {
      member.applied = last.index;
      this.step(id, { kind: 'applied', index: last.index });
    }
    return effects;
  }

  /** The first `count` pending writes of a member become durable, one sync each. */
  completeWrites(id: NodeId, count: number): void {
    const member = this.member(id);
    for (let i = 0; i < count; i += 1) {
      const write = member.pending.shift();
      if (write === undefined) break;
      member.disk.persist(write);
      for (const envelope of write.then) this.launch(id, envelope);
      const { lastIndex, lastTerm } = write;
      this.step(id, { kind: 'appended', id: write.id, lastIndex, lastTerm });
    }
    if (!member.isInstallSlow) this.install(id);
  }

  private perform(id: NodeId, task: SnapshotTask): void {
    const { disk, isInstallSlow } = this.member(id);
    switch (task.kind) {
      case 'read': {
        const chunk = disk.read(task.resume, task.maxBytes);
        if (chunk === null) this.say(`${id} has no snapshot for ${task.to}`);
        if (chunk === null) this.step(id, { kind: 'snapshotUnavailable', to: task.to });
        else this.step(id, { kind: 'snapshotChunk', to: task.to, ...chunk });
        return;
      }
      case 'store': {
        const { index, term } = task.header;
        const offset = disk.store(task.header, task.offset, task.data.length);
        this.step(id, { kind: 'snapshotStored', index, term, offset });
        return;
      }
      case 'install':
        this.member(id).installing = task.header;
        if (!isInstallSlow) this.install(id);
    }
  }

  /** Finishes a waiting install, once the writes before it are durable. */
  install(id: NodeId, isDamaged = false): void {
    const member = this.member(id);
    const header = member.installing;
    if (header === null || member.pending.length > 0) return;
    member.installing = null;
    const { index, term } = header;
    if (isDamaged) {
      member.disk.discardReceived();
      this.step(id, { kind: 'snapshotRejected', index, term });
      return;
    }
    member.disk.install(header);
    member.applied = index;
    this.step(id, { kind: 'snapshotInstalled', index, term });
  }

  /** The driver takes a snapshot of what is applied. */
  takeSnapshot(id: NodeId, size: number): void {
    const { raft, disk, applied } = this.member(id);
    const header = raft.snapshotHeader(applied);
    if (header === null) throw new Error(`no snapshot at ${applied}`);
    disk.keepSnapshot(header, size);
    this.say(`${id} keeps a snapshot at ${header.index}@${header.term}`);
  }

  compact(id: NodeId, index: number): void {
    this.step(id, { kind: 'compact', index });
    this.member(id).disk.compact(index);
  }

  private launch(from: NodeId, { to, message }: Envelope): void {
    if (this.cut.has(from) || this.cut.has(to) || !this.members.has(to)) return;
    if (this.isVerbose) this.say(`${from} > ${to} ${formatMessage(message)}`);
    this.flights.push({ from, to, message });
  }

  private tell(id: NodeId, effects: RaftEffects): void {
    for (const fact of effects.trace) this.say(`${id} ${formatTrace(fact)}`);
    for (const outcome of effects.proposals) this.say(`${id} ${formatProposal(outcome)}`);
    if (effects.transfer !== null) this.say(`${id} ${formatTransfer(effects.transfer)}`);
    if (effects.append !== null && this.isVerbose) this.say(`${id} ${formatWrite(effects.append)}`);
    for (const envelope of effects.send) this.launch(id, envelope);
    for (const outcome of effects.reads) this.say(`${id} ${formatRead(outcome)}`);
    if (effects.apply.length > 0) this.say(`${id} applies ${formatEntries(effects.apply)}`);
  }

  deliver(flight: Flight): void {
    if (this.isVerbose) this.say(`${flight.to} < ${flight.from} ${formatMessage(flight.message)}`);
    this.step(flight.to, { kind: 'receive', message: flight.message });
  }

  /** Delivers until nothing is on its way; slow disks stay slow. */
  settle(): void {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const flight = this.flights.shift();
      if (flight === undefined) return;
      this.deliver(flight);
    }
    throw new Error(`not settled after ${MAX_ROUNDS} messages`);
  }

  status(id: NodeId): string[] {
    return formatStatus(this.member(id).raft.status());
  }
}
