// What an actor is made of, as its author sees it: a behaviour that takes messages, a reference that others hold, a
// context to act through. No scheduling here, and no time but through the port.

import type { Supervision } from './supervision';

/** Time as a port: runs `fn` once after `ms` milliseconds unless cancelled. */
export interface ActorTimers {
  schedule(ms: number, fn: () => void): () => void;
}

export interface ActorAddress {
  readonly kind: string;
  readonly id: string;
}

export type TellOutcome = 'accepted' | 'overloaded' | 'stopped';
export type AskFailureCode = 'overloaded' | 'stopped' | 'failed' | 'timed_out';

/** Why an ask has no answer. `failed` and `timed_out` leave open whether the message took effect. */
export class AskFailure extends Error {
  readonly code: AskFailureCode;
  readonly address: string;

  constructor(code: AskFailureCode, address: string, cause?: unknown) {
    super(`${address}: ${code}`, { cause });
    this.name = 'AskFailure';
    this.code = code;
    this.address = address;
  }
}

/** How a message is answered: once; later calls do nothing. */
export interface Reply<Answer> {
  resolve(answer: Answer): void;
  reject(fault: unknown): void;
}

export interface ActorRef<Message> {
  /** `<kind>/<id>`. */
  readonly address: string;
  /** Puts a message into the mailbox or says why not; never runs the actor before it returns. */
  tell(message: Message): TellOutcome;
  /** Tells a message that carries its reply; rejects with what the actor rejects with, or an AskFailure. */
  ask<Answer>(
    message: (reply: Reply<Answer>) => Message,
    options?: { readonly timeoutMs?: number },
  ): Promise<Answer>;
  /** Ends the actor after its current turn; what waits becomes dead letters. Resolves once it has ended. */
  stop(): Promise<void>;
  readonly waiting: number;
  readonly isStopped: boolean;
}

export interface ActorContext<Message> {
  readonly self: ActorRef<Message>;
  /** A child: it ends with this actor, and escalates to it. */
  spawn<Child>(
    kind: string,
    id: string,
    behavior: BehaviorFactory<Child>,
    options?: SpawnOptions,
  ): ActorRef<Child>;
  /** Tells this actor a message later; forgotten when it restarts or ends. */
  schedule(ms: number, message: Message): () => void;
  /** Tells this actor a message once the other has ended, at once if it has already. */
  watch<Other>(other: ActorRef<Other>, message: Message): () => void;
  /** Ends this actor after the current turn. */
  stop(): void;
}

/** An author implements exactly one of `receive` and `receiveBatch`. */
export interface Behavior<Message> {
  started?(context: ActorContext<Message>): void | Promise<void>;
  receive?(message: Message, context: ActorContext<Message>): void | Promise<void>;
  /** Takes all waiting messages of one turn, in order, at most `SpawnOptions.maxBatch`. */
  receiveBatch?(messages: readonly Message[], context: ActorContext<Message>): void | Promise<void>;
  /** Last act, after a stop as well as before a restart. */
  stopped?(): void | Promise<void>;
}

/** Called at the start and at each restart, so that a restarted actor has fresh state. */
export type BehaviorFactory<Message> = () => Behavior<Message>;

export interface SpawnOptions {
  /** Messages that may wait; further ones are refused as `overloaded`. */
  readonly mailboxLimit?: number;
  readonly maxBatch?: number;
  readonly supervision?: Partial<Supervision>;
}

export const defaultMailboxLimit = 1_024;
export const defaultMaxBatch = 256;
