// Sends queued opinions to a few random members each interval, the recently dead included. Sleeps while there is nothing
// to tell or nobody to tell it to; the first opinion after a quiet time leaves at once.

import { sendPacket, type SwimCore } from './core';
import { isLive, type Member } from './member';
import { drawSome } from './random';

export class Gossiper {
  readonly #core: SwimCore;
  #nextAt = 0;

  constructor(core: SwimCore) {
    this.#core = core;
  }

  get wakeAt(): number {
    const { queue, table } = this.#core;
    return queue.size > 0 && table.size > 1 ? this.#nextAt : Infinity;
  }

  tick(): void {
    const core = this.#core;
    if (core.now < this.wakeAt) return;
    this.#nextAt = core.now + core.config.gossipIntervalMs;
    const hearers = core.table.others((member, since) => this.#hears(member, since));
    for (const hearer of drawSome(core.random, hearers, core.config.fanout)) {
      sendPacket(core, hearer.address, []);
    }
  }

  /** The dead may be wrongly dead: they hear of it for a while, so that they can refute. */
  #hears(member: Member, since: number): boolean {
    const { now, config } = this.#core;
    return isLive(member) || (member.state === 'dead' && now - since < config.gossipToTheDeadMs);
  }
}
