// The replica's words: what it asks of log, peers and clock, what it tells, and how it refuses. Shapes only; knows no
// contracts, no NATS and no SQLite.

import type {
  Configuration,
  Envelope,
  LogWrite,
  NodeId,
  RaftStatus,
  RaftTrace,
  SnapshotHeader,
  SnapshotTask,
} from '@skein/raft';
import type { Refusal, SnapshotSource, Store } from '@skein/store';
import type { Origin } from './origin';

/** Why the replica did not do as it was asked. Codes are those of the registry of errors. */
export type ReplicaRefusalCode =
  | 'not_leader'
  | 'no_leader'
  | 'overloaded'
  | 'payload_too_large'
  | 'unavailable'
  | 'unknown_outcome'
  | 'deadline_exceeded'
  | 'invalid_request'
  | 'lease_not_found'
  | 'too_stale'
  | 'member_not_found'
  | 'change_in_progress'
  | 'configuration_changed'
  | 'term_not_opened'
  | 'invalid_configuration'
  | 'learner_behind'
  | 'already_leader'
  | 'no_successor'
  | 'recovering'
  | 'internal';

export interface ReplicaRefusal {
  readonly code: ReplicaRefusalCode;
  readonly message: string;
  readonly field?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** What came of a request: an answer, or a refusal of the store (it was looked at) or of the replica. */
export type Answered<Reply> =
  | { readonly ok: true; readonly reply: Reply }
  | { readonly ok: false; readonly refusal: Refusal | ReplicaRefusal };

/** Called once, inside a call of the core's or later; must not throw. */
export type Answer<Reply> = (answered: Answered<Reply>) => void;

export function refused(
  code: ReplicaRefusalCode,
  message: string,
  rest: { field?: string; facts?: Readonly<Record<string, unknown>> } = {},
): { readonly ok: false; readonly refusal: ReplicaRefusal } {
  return { ok: false, refusal: { code, message, ...rest } };
}

export interface ReplicaClock {
  /** Monotonic milliseconds of this machine; only differences mean anything. */
  nowMs(): number;
  /** Milliseconds since the epoch: shown to people, never used to decide. */
  wallMs(): number;
}

/** The durable log. No call answers before it returns; what must be answered is said with each. */
export interface LogPort {
  /** Takes writes in order. Answer: `ReplicaCore.durable`, when they are on disk. */
  write(write: LogWrite): void;
  /** Entries up to `index` may leave the disk: a durable snapshot covers them. */
  compact(index: number): void;
  /** Keeps a snapshot of the own state. Answer: `snapshotSaved` or `snapshotFailed`. The log closes the source. */
  saveSnapshot(header: SnapshotHeader, source: SnapshotSource): void;
  /** Answer: input `snapshotChunk` or `snapshotUnavailable`; before the latter `snapshotDamaged`, if the disk has lost it. */
  readSnapshot(task: Extract<SnapshotTask, { kind: 'read' }>): void;
  /** Answer: input `snapshotStored`. */
  storeChunk(task: Extract<SnapshotTask, { kind: 'store' }>): void;
  /** Answer: `installed` with the state that the snapshot holds, or `installRejected`. */
  install(task: Extract<SnapshotTask, { kind: 'install' }>): void;
  /** How long its writes take of late, in milliseconds; for people. */
  latencyMs(): number;
}

/** What one replica tells another beside Raft. May be lost. */
export type ReplicaNotice =
  /** A member's own standing, to the leader, about once a second. */
  | ({ readonly kind: 'standing' } & MemberStanding)
  /** To a replica that asks for votes and is no member: the configuration at `index` has no place for it. */
  | { readonly kind: 'removed'; readonly from: NodeId; readonly index: number }
  /** Between voters, before one with an empty directory starts its core: what the sender is, and whether it wants to be told too. */
  | {
      readonly kind: 'origin';
      readonly from: NodeId;
      readonly origin: Origin;
      readonly asks: boolean;
    };

export interface MemberStanding {
  readonly from: NodeId;
  /** The newest protocol version that its program understands. */
  readonly protocolMax: number;
  /** Of its program, for people. */
  readonly version: string;
  readonly priority: number;
  /** How long the log's writes take of late, in milliseconds. */
  readonly diskLatencyMs: number;
  readonly snapshotIndex: number;
  /** The state's hash at some recent entries, oldest first. */
  readonly hashPoints: readonly StateHashPoint[];
}

export interface StateHashPoint {
  readonly appliedIndex: number;
  readonly hash: string;
}

/** What the replica needs done. No port calls back into the core before it returns. */
export interface ReplicaPorts {
  readonly clock: ReplicaClock;
  readonly log: LogPort;
  /** Best effort, as Raft expects. */
  send(envelope: Envelope): void;
  /** As `send`; the other's answer is `ReplicaCore.heard`. */
  tell(to: NodeId, notice: ReplicaNotice): void;
  /** Asks for one `ReplicaCore.flush` at the end of the turn, after what is already waiting to be heard. */
  defer(): void;
  trace(fact: RaftTrace): void;
  /** The core met a broken invariant: it does nothing more, and the process must end. Called once. */
  failed(error: Error): void;
}

/** What the core tells whoever serves clients on its behalf. Called inside a step: must not throw. */
export interface ReplicaListener {
  /** It leads, and has applied everything that earlier leaders had committed. */
  tookOffice(term: number): void;
  leftOffice(): void;
  /** Every entry that was ready is applied. */
  caughtUp(): void;
  tick(nowMs: number): void;
  roleChanged(status: RaftStatus): void;
  /** Something that an operator should read. */
  said(fact: ReplicaFact): void;
  /** A snapshot has taken the place of the state: whoever holds on to the old store must let go. */
  storeReplaced(store: Store, header: SnapshotHeader): void;
}

export type ReplicaFact =
  | { readonly kind: 'leaseExpired'; readonly lease: string }
  | { readonly kind: 'snapshotSaved'; readonly index: number; readonly bytes: number }
  | { readonly kind: 'snapshotFailed'; readonly index: number; readonly reason: string }
  /** The newest snapshot can't be read any more; another one follows. */
  | { readonly kind: 'snapshotDamaged'; readonly index: number }
  | { readonly kind: 'snapshotInstalled'; readonly index: number; readonly term: number }
  | { readonly kind: 'logCompacted'; readonly index: number }
  | { readonly kind: 'historyCompacted'; readonly revision: number }
  | {
      readonly kind: 'configurationApplied';
      readonly index: number;
      readonly configuration: Configuration;
    }
  /** This replica is no member any more: it stays quiet until a leader speaks to it. */
  | { readonly kind: 'removed'; readonly index: number }
  | { readonly kind: 'removalEnded' }
  /** The log is whole again. */
  | { readonly kind: 'recovered' }
  | { readonly kind: 'protocolAgreed'; readonly version: number }
  /** A replica's state differs from the others' at an entry that both have applied. */
  | {
      readonly kind: 'stateDiffers';
      readonly replica: NodeId;
      readonly appliedIndex: number;
      readonly hashes: Readonly<Record<NodeId, string>>;
    };

export interface TransferReply {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: number;
}
