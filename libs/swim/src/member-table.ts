// All members that are known, self included, and the order in which they are probed. Judges no opinion.

import { isLive, type Member } from './member';
import { drawBelow, drawSome, shuffle, type RandomSource } from './random';

export interface Entry {
  member: Member;
  stateSince: number;
}

export class MemberTable {
  readonly selfName: string;
  readonly #random: RandomSource;
  readonly #entries = new Map<string, Entry>();
  /** Others, in this round's order; new ones come in anywhere, so that joiners do not synchronise. */
  readonly #round: string[] = [];
  #next = 0;
  #live = 0;
  #dead = 0;

  constructor(self: Member, random: RandomSource, now: number) {
    this.selfName = self.name;
    this.#random = random;
    this.#entries.set(self.name, { member: self, stateSince: now });
    this.#live = 1;
  }

  get self(): Member {
    return (this.#entries.get(this.selfName) as Entry).member;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Alive and suspect, self included: the N of the formulas. */
  get liveCount(): number {
    return this.#live;
  }

  get deadCount(): number {
    return this.#dead;
  }

  get(name: string): Member | undefined {
    return this.#entries.get(name)?.member;
  }

  /** How long a known member has been in its state; 0 if it is unknown. */
  stateAgeMs(name: string, now: number): number {
    const entry = this.#entries.get(name);
    return entry === undefined ? 0 : now - entry.stateSince;
  }

  members(): Member[] {
    return Array.from(this.#entries.values(), (entry) => entry.member);
  }

  /** Everyone but self that `accept` takes. */
  others(accept: (member: Member, stateSince: number) => boolean): Member[] {
    const found: Member[] = [];
    for (const { member, stateSince } of this.#entries.values()) {
      if (member.name !== this.selfName && accept(member, stateSince)) found.push(member);
    }
    return found;
  }

  /** Up to `count` of the others that `accept` takes, each as likely as another. */
  drawOthers(count: number, accept: (member: Member, stateSince: number) => boolean): Member[] {
    const drawn: Member[] = [];
    // Most are accepted most of the time: a few blind draws are cheaper than to look at everyone.
    for (let tries = 4 * count; tries > 0 && drawn.length < count; tries -= 1) {
      const name = this.#round[drawBelow(this.#random, Math.max(1, this.#round.length))];
      const entry = name === undefined ? undefined : this.#entries.get(name);
      if (entry === undefined || drawn.includes(entry.member)) continue;
      if (accept(entry.member, entry.stateSince)) drawn.push(entry.member);
    }
    if (drawn.length === count) return drawn;
    return drawSome(this.#random, this.others(accept), count);
  }

  /** Adds or replaces; the time counts from here if the state changes. */
  put(member: Member, now: number): void {
    const entry = this.#entries.get(member.name);
    if (entry === undefined) {
      this.#entries.set(member.name, { member, stateSince: now });
      this.#insertIntoRound(member.name);
    } else {
      this.#count(entry.member, -1);
      if (entry.member.state !== member.state) entry.stateSince = now;
      entry.member = member;
    }
    this.#count(member, 1);
  }

  /** The next live member of the round, or null if there is none. A wrap reshuffles and forgets those `reap` takes. */
  nextProbeTarget(reap: () => void): Member | null {
    for (let looks = this.#round.length + 1; looks > 0; looks -= 1) {
      if (this.#next >= this.#round.length) {
        reap();
        shuffle(this.#random, this.#round);
        this.#next = 0;
      }
      const name = this.#round[this.#next];
      if (name === undefined) return null;
      this.#next += 1;
      const member = this.get(name);
      if (member !== undefined && isLive(member)) return member;
    }
    return null;
  }

  forget(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined || name === this.selfName) return;
    this.#count(entry.member, -1);
    this.#entries.delete(name);
    const index = this.#round.indexOf(name);
    this.#round.splice(index, 1);
    if (index < this.#next) this.#next -= 1;
  }

  #insertIntoRound(name: string): void {
    const index = drawBelow(this.#random, this.#round.length + 1);
    this.#round.splice(index, 0, name);
    // Before the cursor it waits for the next round; nobody is probed twice because of it.
    if (index < this.#next) this.#next += 1;
  }

  #count(member: Member, by: number): void {
    if (isLive(member)) this.#live += by;
    if (member.state === 'dead') this.#dead += by;
  }
}
