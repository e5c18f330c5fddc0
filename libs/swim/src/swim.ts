// The pure SWIM member: one input in, effects out. Dispatches to the parts and runs what is due; reads no clock, opens no
// socket, throws only for a bug of its caller.

import { AntiEntropy } from './anti-entropy';
import { BroadcastQueue } from './broadcast-queue';
import type { SwimConfig } from './config';
import type { SwimEffects, SwimInput } from './contract';
import { changeHealth, emit, gossip, trace, type SwimCore } from './core';
import { Gossiper } from './gossiper';
import { LocalHealth } from './local-health';
import { memberLimits, type Member, type MemberSelf } from './member';
import { MemberTable } from './member-table';
import type { SwimMessage } from './message';
import { announceSelf, hear, hearDead } from './opinions';
import { Prober } from './probe';
import type { RandomSource } from './random';
import { ReachTable, type Reach } from './reach';
import { Suspicions } from './suspicions';
import { metaBytes } from './wire/message-codec';

export interface Swim {
  /** Synchronous and deterministic: same inputs and same random source, same effects. */
  step(input: SwimInput): SwimEffects;
  /** When the next `tick` is due; Infinity if nothing is. */
  readonly wakeAtMs: number;
  readonly self: Member;
  readonly localHealth: number;
  /** Everyone known, self included, the dead and left of the retention time too. */
  members(): readonly Member[];
  /** What the own probes tell of the way to a member. */
  reach(name: string): Reach;
}

export interface SwimOptions {
  /** Whether effects tell what happened in `trace`. Default true. */
  readonly isTraced?: boolean;
}

export function createSwim(
  config: SwimConfig,
  self: MemberSelf,
  random: RandomSource,
  options: SwimOptions = {},
): Swim {
  return new SwimMember(config, self, random, options);
}

/** Throws RangeError if the member could not be described on the wire. */
function checkedSelf(self: MemberSelf): Member {
  const nameBytes = new TextEncoder().encode(self.name).length;
  if (nameBytes < 1 || nameBytes > memberLimits.nameBytes) {
    throw new RangeError(`a member's name takes 1 to ${memberLimits.nameBytes} bytes`);
  }
  if (new TextEncoder().encode(self.address).length > memberLimits.addressBytes) {
    throw new RangeError(`a member's address takes at most ${memberLimits.addressBytes} bytes`);
  }
  if (
    metaBytes(self.address, self.meta) > memberLimits.metaBytes ||
    Object.keys(self.meta.tags).length > memberLimits.tags
  ) {
    throw new RangeError(`a member's meta takes at most ${memberLimits.metaBytes} bytes`);
  }
  const { name, address, meta, incarnation = 1 } = self;
  return { name, address, incarnation, state: 'alive', meta };
}

class SwimMember implements Swim {
  readonly #core: SwimCore;
  readonly #prober: Prober;
  readonly #gossiper: Gossiper;
  readonly #antiEntropy: AntiEntropy;
  #isStarted = false;
  #isLeaveTold = false;
  wakeAtMs = Infinity;

  constructor(
    config: SwimConfig,
    self: MemberSelf,
    random: RandomSource,
    { isTraced = true }: SwimOptions,
  ) {
    this.#core = {
      config,
      random,
      isTraced,
      table: new MemberTable(checkedSelf(self), random, 0),
      queue: new BroadcastQueue(),
      health: new LocalHealth(config.localHealthMax),
      suspicions: new Suspicions(),
      reach: new ReachTable(),
      now: -Infinity,
      heardAt: -Infinity,
      leaving: false,
      send: [],
      events: [],
      trace: [],
    };
    this.#prober = new Prober(this.#core);
    this.#gossiper = new Gossiper(this.#core);
    this.#antiEntropy = new AntiEntropy(this.#core);
  }

  get self(): Member {
    return this.#core.table.self;
  }

  get localHealth(): number {
    return this.#core.health.score;
  }

  members(): readonly Member[] {
    return this.#core.table.members();
  }

  reach(name: string): Reach {
    return this.#core.reach.of(name);
  }

  step(input: SwimInput): SwimEffects {
    const core = this.#core;
    if (!this.#isStarted && input.kind !== 'start') throw new Error(`${input.kind} before start`);
    if (input.now < core.now) throw new Error(`time went back from ${core.now} to ${input.now}`);
    core.now = input.now;
    this.#dispatch(input);
    this.#tellLeave();
    this.wakeAtMs = Math.max(core.now, this.#nextWake());
    const { send, events, trace: traced } = core;
    core.send = [];
    core.events = [];
    core.trace = [];
    return { send, events, trace: traced, wakeAtMs: this.wakeAtMs };
  }

  #dispatch(input: SwimInput): void {
    switch (input.kind) {
      case 'start':
        if (this.#isStarted) throw new Error('started twice');
        this.#isStarted = true;
        this.#prober.start();
        this.#antiEntropy.start();
        return announceSelf(this.#core, this.self);
      case 'tick':
        return this.#tick(input.isBlocked === true);
      case 'receive':
        this.#excuseSilence();
        for (const message of input.messages) this.#receive(message, input.from, input.via);
        return;
      case 'join':
        return this.#antiEntropy.join(input.addresses);
      case 'updateTags':
        return this.#updateTags(input.tags);
      case 'leave':
        return this.#leave();
    }
  }

  #receive(message: SwimMessage, from: string, via: 'datagram' | 'stream'): void {
    switch (message.kind) {
      case 'ping':
        return this.#prober.receivePing(message, from, via);
      case 'pingReq':
        return this.#prober.receivePingReq(message, from);
      case 'ack':
        return this.#prober.receiveAck(message.seq, from, via);
      case 'nack':
        return this.#prober.receiveNack(message.seq, from);
      case 'alive':
      case 'suspect':
      case 'dead':
        return hear(this.#core, message);
      case 'pushPull':
        // A table belongs on a stream; in a datagram nobody asked for it.
        return via === 'stream' ? this.#antiEntropy.receive(message, from) : undefined;
    }
  }

  #tick(isBlocked: boolean): void {
    this.#excuseStall();
    this.#expireSuspicions();
    if (!this.#core.leaving) {
      this.#prober.tick(isBlocked, () => this.#reap());
      this.#antiEntropy.tick(isBlocked);
    }
    this.#gossiper.tick(isBlocked);
  }

  /** A late tick means that this process did not run: answers may lie unread, so no deadline may pass by it. */
  #excuseStall(): void {
    const core = this.#core;
    const lateMs = core.now - this.wakeAtMs;
    if (!(lateMs > core.config.stallMs) || this.wakeAtMs === Infinity) return;
    trace(core, { kind: 'stalled', lateMs });
    core.suspicions.shift(lateMs);
    this.#prober.shift(lateMs);
    changeHealth(core, 1);
  }

  /** Nobody at all was heard: more likely this member is cut off than all others are dead. */
  get #isSilent(): boolean {
    const { now, heardAt, config, table } = this.#core;
    return table.liveCount > 2 && now - heardAt > config.silenceMs;
  }

  #excuseSilence(): void {
    const core = this.#core;
    if (this.#isSilent) {
      core.suspicions.excuseSilence({ from: core.heardAt, to: core.now });
    }
    core.heardAt = core.now;
  }

  #expireSuspicions(): void {
    const core = this.#core;
    if (core.leaving) return;
    for (const name of core.suspicions.due(core.now, this.#isSilent)) {
      const member = core.table.get(name);
      if (member === undefined) continue;
      const { incarnation } = member;
      hearDead(core, { kind: 'dead', name, incarnation, accuser: this.self.name });
    }
  }

  #reap(): void {
    const core = this.#core;
    const gone = core.table.others((member, since) => {
      const isGone = member.state === 'dead' || member.state === 'left';
      return isGone && core.now - since >= core.config.deadRetentionMs;
    });
    for (const member of gone) {
      core.table.forget(member.name);
      core.reach.forget(member.name);
      emit(core, { kind: 'memberForgotten', member });
    }
  }

  #updateTags(tags: Readonly<Record<string, string>>): void {
    const { self } = this;
    if (this.#core.leaving) return;
    const meta = { ...self.meta, tags };
    announceSelf(this.#core, checkedSelf({ ...self, meta, incarnation: self.incarnation + 1 }));
  }

  /** A leave is the own death certificate: self-written, at the own incarnation. */
  #leave(): void {
    const core = this.#core;
    if (core.leaving) return;
    core.leaving = true;
    const { name, incarnation } = this.self;
    core.table.put({ ...this.self, state: 'left' }, core.now);
    core.suspicions.clear();
    gossip(core, { kind: 'dead', name, incarnation, accuser: name });
  }

  #tellLeave(): void {
    const core = this.#core;
    if (!core.leaving || this.#isLeaveTold) return;
    if (core.queue.has(this.self.name) && core.table.liveCount > 0) return;
    this.#isLeaveTold = true;
    emit(core, { kind: 'leaveSent' });
  }

  #nextWake(): number {
    const core = this.#core;
    if (core.leaving) return this.#gossiper.wakeAt;
    const verdictAt = core.suspicions.nextAt(this.#isSilent);
    return Math.min(
      this.#prober.wakeAt,
      this.#gossiper.wakeAt,
      this.#antiEntropy.wakeAt,
      verdictAt,
    );
  }
}
