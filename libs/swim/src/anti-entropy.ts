// Exchanges whole tables over streams: to join, now and then with a random member, and to find the dead again. Another's
// table is hearsay: its dead are only suspects here.

import { trace, type SwimCore } from './core';
import { pushPullPeriodMs } from './formulas';
import type { Member } from './member';
import type { PushPullMessage } from './message';
import { hear, hearSuspect } from './opinions';
import { drawSome } from './random';

/** Seeds tried at one time. */
const maxSeeds = 16;

export class AntiEntropy {
  readonly #core: SwimCore;
  #seeds: readonly string[] = [];
  #nextPushPullAt = Infinity;
  #nextReconnectAt = Infinity;
  #isHeld = false;

  constructor(core: SwimCore) {
    this.#core = core;
  }

  /** First periods are drawn, so that members started together spread out. */
  start(): void {
    const { now, config, random } = this.#core;
    this.#nextPushPullAt = now + (0.5 + random() / 2) * config.pushPullIntervalMs;
    this.#nextReconnectAt = now + (0.5 + random() / 2) * config.reconnectIntervalMs;
  }

  get wakeAt(): number {
    const { table } = this.#core;
    if (this.#isHeld) return Infinity;
    const pushPullAt = table.liveCount > 1 ? this.#nextPushPullAt : Infinity;
    const isSought = table.deadCount > 0 || this.#isAlone();
    return Math.min(pushPullAt, isSought ? this.#nextReconnectAt : Infinity);
  }

  tick(isBlocked: boolean): void {
    const core = this.#core;
    const { now, config, table } = core;
    this.#isHeld &&= isBlocked;
    if (this.#isHeld || now < Math.min(this.#nextPushPullAt, this.#nextReconnectAt)) return;
    this.#isHeld = isBlocked;
    if (now >= this.#nextPushPullAt) {
      this.#nextPushPullAt = now + pushPullPeriodMs(config.pushPullIntervalMs, table.liveCount);
      const partners = table.others((member) => member.state === 'alive');
      for (const partner of drawSome(core.random, partners, 1)) this.#request(partner.address);
    }
    if (now >= this.#nextReconnectAt) {
      this.#nextReconnectAt = now + config.reconnectIntervalMs;
      this.#reconnect();
    }
  }

  /** Remembers the seeds and asks each; they are asked again while nobody else is alive. */
  join(addresses: readonly string[]): void {
    const own = this.#core.table.self.address;
    this.#seeds = [...new Set(addresses)].filter((address) => address !== own).slice(0, maxSeeds);
    this.#nextReconnectAt = this.#core.now + this.#core.config.reconnectIntervalMs;
    for (const seed of this.#seeds) this.#request(seed);
  }

  receive(message: PushPullMessage, from: string): void {
    for (const member of message.members) this.#merge(member, message.source);
    // After the merge, so that a refutation that it called for is in the answer.
    if (message.phase === 'request') {
      this.#core.send.push({ to: from, via: 'reply', messages: [this.#table('reply')] });
    }
  }

  /** Hearsay is the sender's single word, whoever it had it from: it counts as one accuser. */
  #merge(remote: Member, source: string): void {
    const core = this.#core;
    const { name, address, incarnation, state, meta } = remote;
    switch (state) {
      case 'alive':
        return hear(core, { kind: 'alive', name, address, incarnation, meta });
      case 'suspect':
        if (core.table.get(name) === undefined) {
          hear(core, { kind: 'alive', name, address, incarnation, meta });
        }
        return hearSuspect(core, { kind: 'suspect', name, incarnation, accuser: source });
      case 'dead':
        if (core.table.get(name)?.state === 'dead') return;
        trace(core, { kind: 'downgraded', name, source });
        return hearSuspect(core, { kind: 'suspect', name, incarnation, accuser: source });
      case 'left':
        return hear(core, { kind: 'dead', name, incarnation, accuser: name });
    }
  }

  /** All together try one of the dead about once a period, not each member every one (as Serf does). */
  #reconnect(): void {
    const core = this.#core;
    if (this.#isAlone()) for (const seed of this.#seeds) this.#request(seed);
    const dead = core.table.others((member) => member.state === 'dead');
    if (core.random() * core.table.liveCount >= dead.length) return;
    for (const member of drawSome(core.random, dead, 1)) this.#request(member.address);
  }

  #isAlone(): boolean {
    return this.#seeds.length > 0 && this.#core.table.liveCount === 1;
  }

  #request(address: string): void {
    this.#core.send.push({ to: address, via: 'stream', messages: [this.#table('request')] });
  }

  #table(phase: 'request' | 'reply'): PushPullMessage {
    const { table } = this.#core;
    return { kind: 'pushPull', phase, source: table.self.name, members: table.members() };
  }
}
