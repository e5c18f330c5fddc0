// The small world of a scenario: replicas whose network and disks move only on command. Messages
// wait in one list, writes of a slow disk wait in another. It must not know the language that the
// scenarios are written in.
import { createRaft } from '../raft';
import type { RaftMessage } from '../messages';
import type {
  Envelope,
  HardState,
  LogEntry,
  LogWrite,
  NodeId,
  Raft,
  RaftConfig,
  RaftEffects,
  RaftInput,
} from '../types';
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

export interface Disk {
  hardState: HardState;
  entries: LogEntry[];
}

interface Member {
  raft: Raft;
  readonly disk: Disk;
  pending: LogWrite[];
  isSlow: boolean;
  applied: number;
}

export interface Flight {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly message: RaftMessage;
}

export type Limits = Omit<RaftConfig, 'id' | 'random'>;

const MAX_ROUNDS = 200;

export class ScenarioWorld {
  flights: Flight[] = [];
  /** Messages and writes are told as well as what they lead to. */
  isVerbose = true;
  private readonly members = new Map<NodeId, Member>();
  private lines: string[] = [];

  constructor(
    private readonly voters: readonly NodeId[],
    private readonly limits: Limits,
  ) {
    for (const id of voters) {
      this.place(id, { hardState: { term: 0, vote: null, commit: 0 }, entries: [] });
    }
  }

  get ids(): readonly NodeId[] {
    return this.voters;
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

  /**
   * (Re)starts a member from a disk. Applied entries are forgotten, as with a state machine in
   * memory.
   */
  place(id: NodeId, disk: Disk): void {
    const isSlow = this.members.get(id)?.isSlow ?? false;
    const raft = createRaft(
      { ...this.limits, id, random: () => 0 },
      {
        hardState: disk.hardState,
        entries: disk.entries.slice(),
        configuration: { incoming: this.voters, outgoing: [], learners: [] },
      },
    );
    this.members.set(id, { raft, disk, pending: [], isSlow, applied: 0 });
  }

  /** Power goes; of the pending writes the first `kept` have reached the disk. */
  crash(id: NodeId, kept: number): void {
    const { pending, disk } = this.member(id);
    for (const write of pending.slice(0, kept)) persist(disk, write);
    this.place(id, disk);
  }

  step(id: NodeId, input: RaftInput): RaftEffects {
    const member = this.member(id);
    const effects = member.raft.step(input);
    this.tell(id, effects);
    if (effects.append !== null) {
      member.pending.push(effects.append);
      if (!member.isSlow) this.completeWrites(id, Infinity);
    }
    const last = effects.apply[effects.apply.length - 1];
    if (last !== undefined) {
      member.applied = last.index;
      this.step(id, { kind: 'applied', index: last.index });
    }
    return effects;
  }

  /** The first `count` pending writes of a member become durable, one sync each. */
  completeWrites(id: NodeId, count: number): void {
    const { pending, disk } = this.member(id);
    for (let i = 0; i < count; i += 1) {
      const write = pending.shift();
      if (write === undefined) return;
      persist(disk, write);
      for (const envelope of write.then) this.launch(id, envelope);
      const { lastIndex, lastTerm } = write;
      this.step(id, { kind: 'appended', id: write.id, lastIndex, lastTerm });
    }
  }

  private launch(from: NodeId, { to, message }: Envelope): void {
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

function persist(disk: Disk, write: LogWrite): void {
  if (write.hardState !== null) disk.hardState = write.hardState;
  if (write.truncateFrom !== null) disk.entries.length = write.truncateFrom - 1;
  disk.entries.push(...write.entries);
}
