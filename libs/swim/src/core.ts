// The state that the parts of the protocol work on together, and how they speak: packets with gossip on their back,
// events, traces. Decides nothing about members.

import type { SwimConfig } from './config';
import type { SwimEvent, SwimSend, SwimTrace } from './contract';
import { retransmitLimit } from './formulas';
import type { BroadcastQueue } from './broadcast-queue';
import type { LocalHealth } from './local-health';
import type { MemberTable } from './member-table';
import type { OpinionMessage, SwimMessage } from './message';
import type { RandomSource } from './random';
import type { ReachTable } from './reach';
import type { Suspicions } from './suspicions';
import { encryptionReserveBytes, frameHeaderBytes, partHeaderBytes } from './wire/frame-codec';
import { swimMessageBytes } from './wire/message-codec';

/** Parts in one packet; the frame counts them in a byte. */
const maxParts = 255;

export interface SwimCore {
  readonly config: SwimConfig;
  readonly random: RandomSource;
  readonly isTraced: boolean;
  readonly table: MemberTable;
  readonly queue: BroadcastQueue;
  readonly health: LocalHealth;
  readonly suspicions: Suspicions;
  readonly reach: ReachTable;
  /** Time of the input that is being worked on. */
  now: number;
  /** When anything last came in from anyone. */
  heardAt: number;
  leaving: boolean;
  send: SwimSend[];
  events: SwimEvent[];
  trace: SwimTrace[];
}

/** Sends one packet: the messages first, then as much gossip as fits. */
export function sendPacket(core: SwimCore, to: string, messages: readonly SwimMessage[]): void {
  const used = messages.reduce(
    (sum, message) => sum + swimMessageBytes(message) + partHeaderBytes,
    frameHeaderBytes + encryptionReserveBytes,
  );
  const piggyback = core.queue.take({
    budget: core.config.packetBytes - used,
    overhead: partHeaderBytes,
    limit: retransmitLimit(core.config.retransmitMultiplier, core.table.liveCount),
    parts: maxParts - messages.length,
  });
  if (messages.length + piggyback.length === 0) return;
  core.send.push({ to, via: 'datagram', messages: [...messages, ...piggyback] });
}

export function gossip(core: SwimCore, message: OpinionMessage): void {
  core.queue.push(message);
}

export function emit(core: SwimCore, event: SwimEvent): void {
  core.events.push(event);
}

export function trace(core: SwimCore, entry: SwimTrace): void {
  if (core.isTraced) core.trace.push(entry);
}

export function changeHealth(core: SwimCore, delta: number): void {
  if (core.health.apply(delta)) {
    emit(core, { kind: 'localHealthChanged', score: core.health.score });
  }
}
