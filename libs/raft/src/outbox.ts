// Collects the effects of one step, so that the rules say what they want and nothing about how it
// is packed. Lists that stay empty are shared and never allocated. It must not know roles or rules.
import type { RaftMessage } from './messages';
import type {
  Envelope,
  LogEntry,
  NodeId,
  ProposalOutcome,
  RaftTrace,
  ReadOutcome,
  SnapshotTask,
  TransferOutcome,
} from './types';

const nothing: readonly never[] = Object.freeze([]);

export class Outbox {
  sends: Envelope[] | null = null;
  /** Envelopes that wait for the log: what they promise must be durable first. */
  thens: Envelope[] | null = null;
  entries: LogEntry[] | null = null;
  truncateFrom: number | null = null;
  reads: ReadOutcome[] | null = null;
  proposals: ProposalOutcome[] | null = null;
  snapshots: SnapshotTask[] | null = null;
  transfer: TransferOutcome | null = null;
  traces: RaftTrace[] | null = null;

  send(to: NodeId, message: RaftMessage): void {
    (this.sends ??= []).push({ to, message });
  }

  sendAfterWrite(to: NodeId, message: RaftMessage): void {
    (this.thens ??= []).push({ to, message });
  }

  write(entry: LogEntry): void {
    (this.entries ??= []).push(entry);
  }

  read(outcome: ReadOutcome): void {
    (this.reads ??= []).push(outcome);
  }

  proposal(outcome: ProposalOutcome): void {
    (this.proposals ??= []).push(outcome);
  }

  snapshot(task: SnapshotTask): void {
    (this.snapshots ??= []).push(task);
  }

  trace(fact: RaftTrace): void {
    (this.traces ??= []).push(fact);
  }
}

export function listOf<T>(list: T[] | null): readonly T[] {
  return list ?? nothing;
}
