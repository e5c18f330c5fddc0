// Judges what is said about members: which opinion beats which, who may refute, when a suspicion starts, is confirmed or
// ends. Sends nothing itself but gossip; knows neither probes nor timers.

import { changeHealth, emit, gossip, trace, type SwimCore } from './core';
import { minSuspicionMs, wantedConfirmations } from './formulas';
import { isLive, sameMeta, type Member } from './member';
import type { AliveMessage, DeadMessage, OpinionMessage, SuspectMessage } from './message';
import { Suspicion } from './suspicion';

export function hear(core: SwimCore, opinion: OpinionMessage): void {
  switch (opinion.kind) {
    case 'alive':
      return hearAlive(core, opinion);
    case 'suspect':
      return hearSuspect(core, opinion);
    case 'dead':
      return hearDead(core, opinion);
  }
}

/** Alive(i) beats anything at j < i. A name stays with its address until its holder is gone. */
function hearAlive(core: SwimCore, said: AliveMessage): void {
  const known = core.table.get(said.name);
  if (known === undefined) return admit(core, said);
  const moves = known.address !== said.address;
  if (moves && !mayReclaim(core, known)) {
    const { name, address: claimant } = said;
    return emit(core, { kind: 'conflict', name, holder: known.address, claimant });
  }
  if (known.name === core.table.selfName) return hearAliveOfSelf(core, said);
  if (said.incarnation <= known.incarnation) return ignore(core, said, 'stale');

  const { name, address, incarnation, meta } = said;
  const member: Member = { name, address, incarnation, state: 'alive', meta };
  core.suspicions.end(name);
  core.table.put(member, core.now);
  gossip(core, said);
  if (known.state !== 'alive') emit(core, { kind: 'memberAlive', member, previous: known.state });
  if (isLive(known) && !sameMeta(known.meta, meta)) {
    emit(core, { kind: 'memberUpdated', member, before: known });
  }
}

function admit(core: SwimCore, said: AliveMessage): void {
  if (core.table.size >= core.config.maxMembers) return ignore(core, said, 'full');
  const { name, address, incarnation, meta } = said;
  const member: Member = { name, address, incarnation, state: 'alive', meta };
  core.table.put(member, core.now);
  gossip(core, said);
  emit(core, { kind: 'memberAlive', member, previous: 'unknown' });
}

/** An echo of the own word is nothing; the memory of an earlier run, or a higher incarnation, must be overtaken. */
function hearAliveOfSelf(core: SwimCore, said: AliveMessage): void {
  const self = core.table.self;
  if (core.leaving || said.incarnation < self.incarnation) return ignore(core, said, 'stale');
  if (said.incarnation === self.incarnation && sameMeta(said.meta, self.meta)) return;
  refute(core, { incarnation: said.incarnation, accuser: said.name });
}

function mayReclaim(core: SwimCore, known: Member): boolean {
  if (known.state === 'left') return true;
  const { deadReclaimMs } = core.config;
  if (known.state !== 'dead' || deadReclaimMs === null) return false;
  return core.table.stateAgeMs(known.name, core.now) >= deadReclaimMs;
}

/** Suspect(i) beats Alive at j ≤ i and Suspect at j < i; at j = i it confirms. */
export function hearSuspect(core: SwimCore, said: SuspectMessage): void {
  const known = core.table.get(said.name);
  if (known === undefined) return ignore(core, said, 'unknownMember');
  if (said.incarnation < known.incarnation) return ignore(core, said, 'stale');
  if (!isLive(known)) return ignore(core, said, 'alreadyGone');
  if (known.name === core.table.selfName) {
    if (!core.leaving) refute(core, said);
    return;
  }
  const suspicion = core.suspicions.get(said.name);
  if (suspicion !== undefined && said.incarnation === known.incarnation) {
    return confirm(core, said, suspicion);
  }
  startSuspicion(core, said, known);
}

/** A new accuser is gossiped on, so that its word reaches the others as a confirmation (Lifeguard, dogpile). */
function confirm(core: SwimCore, said: SuspectMessage, suspicion: Suspicion): void {
  if (!core.suspicions.confirm(said.name, said.accuser)) return;
  gossip(core, said);
  const { confirmations, timeoutMs } = suspicion;
  const { name, accuser } = said;
  trace(core, { kind: 'confirmed', name, accuser, confirmations, timeoutMs });
}

function startSuspicion(core: SwimCore, said: SuspectMessage, known: Member): void {
  const { config, table } = core;
  const minMs = minSuspicionMs({
    multiplier: config.suspicionMultiplier,
    memberCount: table.liveCount,
    probeIntervalMs: config.probeIntervalMs,
  });
  const suspicion = new Suspicion({
    accuser: said.accuser,
    startedAt: core.now,
    minMs,
    maxMs: minMs * config.suspicionMaxMultiplier,
    wanted: wantedConfirmations(config.confirmations, table.liveCount),
  });
  const member: Member = { ...known, state: 'suspect', incarnation: said.incarnation };
  core.suspicions.start(said.name, suspicion);
  table.put(member, core.now);
  gossip(core, said);
  emit(core, { kind: 'memberSuspect', member, accuser: said.accuser });
}

/** Dead(i) beats Alive and Suspect at j ≤ i only: a stale death cannot kill a reborn member. */
export function hearDead(core: SwimCore, said: DeadMessage): void {
  const known = core.table.get(said.name);
  if (known === undefined) return ignore(core, said, 'unknownMember');
  if (said.incarnation < known.incarnation) return ignore(core, said, 'stale');
  if (!isLive(known)) return ignore(core, said, 'alreadyGone');
  if (known.name === core.table.selfName) {
    if (!core.leaving) refute(core, said);
    return;
  }
  const left = said.accuser === said.name;
  const state = left ? 'left' : 'dead';
  const member: Member = { ...known, state, incarnation: said.incarnation };
  core.suspicions.end(said.name);
  core.table.put(member, core.now);
  gossip(core, said);
  emit(
    core,
    left ? { kind: 'memberLeft', member } : { kind: 'memberDead', member, accuser: said.accuser },
  );
}

/** Only the accused raises its incarnation, above the accuser's; having to do so speaks against its own health. */
function refute(core: SwimCore, accused: { incarnation: number; accuser: string }): void {
  const self = core.table.self;
  const incarnation = Math.max(self.incarnation, accused.incarnation) + 1;
  announceSelf(core, { ...self, incarnation });
  emit(core, { kind: 'refuted', incarnation, accuser: accused.accuser });
  changeHealth(core, 1);
}

export function announceSelf(core: SwimCore, self: Member): void {
  core.table.put(self, core.now);
  const { name, address, incarnation, meta } = self;
  gossip(core, { kind: 'alive', name, address, incarnation, meta });
}

function ignore(
  core: SwimCore,
  said: OpinionMessage,
  reason: 'stale' | 'unknownMember' | 'alreadyGone' | 'full',
): void {
  if (core.isTraced) trace(core, { kind: 'ignored', what: said.kind, name: said.name, reason });
}
