// Sends queued opinions to a few random members each interval, the recently dead included. Sleeps while there is nothing
// to tell or nobody to tell it to; the first opinion after a quiet time leaves at once.

import { sendPacket, type SwimCore } from './core';
import { isLive, type Member } from './member';

export class Gossiper {
  readonly #core: SwimCore;
  #nextAt = 0;
  #isHeld = false;

  constructor(core: SwimCore) {
    this.#core = core;
  }

  get wakeAt(): number {
    const { queue, table } = this.#core;
    if (this.#isHeld) return Infinity;
    return queue.size > 0 && table.size > 1 ? this.#nextAt : Infinity;
  }

  tick(isBlocked: boolean): void {
    const core = this.#core;
    this.#isHeld &&= isBlocked;
    if (core.now < this.wakeAt) return;
    this.#isHeld = isBlocked;
    this.#nextAt = core.now + core.config.gossipIntervalMs;
    const hears = (member: Member, since: number): boolean => this.#hears(member, since);
    for (const hearer of core.table.drawOthers(core.config.fanout, hears)) {
      sendPacket(core, hearer.address, []);
    }
  }

  /** The dead may be wrongly dead: they hear of it for a while, so that they can refute. */
  #hears(member: Member, since: number): boolean {
    const { now, config } = this.#core;
    return isLive(member) || (member.state === 'dead' && now - since < config.gossipToTheDeadMs);
  }
}
