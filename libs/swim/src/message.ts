// The messages that members exchange. Knows neither their bytes (wire/) nor what a member does with them.

import type { Member, MemberMeta } from './member';

/** Asks `target` to answer with an ack; it stays silent if that is not its name. */
export interface PingMessage {
  readonly kind: 'ping';
  readonly seq: number;
  readonly source: string;
  readonly target: string;
}

/** Asks a helper to ping `target` on behalf of the sender (the indirect probe). */
export interface PingReqMessage {
  readonly kind: 'pingReq';
  readonly seq: number;
  readonly source: string;
  readonly target: string;
  readonly targetAddress: string;
}

export interface AckMessage {
  readonly kind: 'ack';
  readonly seq: number;
}

/** A helper's word that it lives, though the target did not answer it in time (Lifeguard, local health). */
export interface NackMessage {
  readonly kind: 'nack';
  readonly seq: number;
}

export interface AliveMessage {
  readonly kind: 'alive';
  readonly name: string;
  readonly address: string;
  readonly incarnation: number;
  readonly meta: MemberMeta;
}

export interface SuspectMessage {
  readonly kind: 'suspect';
  readonly name: string;
  readonly incarnation: number;
  readonly accuser: string;
}

/** A death; one that its subject wrote itself (`accuser === name`) is a leave. */
export interface DeadMessage {
  readonly kind: 'dead';
  readonly name: string;
  readonly incarnation: number;
  readonly accuser: string;
}

/** The sender's whole table, over a stream; the receiver answers a request with its own. */
export interface PushPullMessage {
  readonly kind: 'pushPull';
  readonly phase: 'request' | 'reply';
  readonly source: string;
  readonly members: readonly Member[];
}

/** What is gossiped: an opinion on one member. */
export type OpinionMessage = AliveMessage | SuspectMessage | DeadMessage;

export type SwimMessage =
  PingMessage | PingReqMessage | AckMessage | NackMessage | OpinionMessage | PushPullMessage;
