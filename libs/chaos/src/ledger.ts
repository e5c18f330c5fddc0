// What the clients of a run were told: which endpoint holds which addresses, since when, until when, and from when on which host
// knows the way to it. Judges nothing; times are of the run's clock.

import { nowMs } from './clock';
import { policyOf } from './plan';
import { overlaps, type Spell, type Weather } from './weather';

export interface Told {
  readonly id: string;
  readonly networkId: string;
  /** By name. */
  readonly network: string;
  readonly name: string;
  readonly host: string;
  /** As told, with prefix lengths. */
  readonly addresses: readonly string[];
  readonly sandbox: string | undefined;
  readonly sentAt: number;
  readonly answeredAt: number;
}

export interface Held extends Told {
  /** From when each host is known to have programmed it. */
  readonly promised: Map<string, number>;
  /** When its detach was first sent; absent: it is to be there. */
  detachSentAt?: number;
  isGone: boolean;
  /** Why it may be gone without a detach: its host was rebooted, or its address was fenced and reclaimed. */
  mayBeGone?: string;
  /** From then on nothing can be said of it: its sandbox or its host's boot is over, or another was given its address. */
  endedAt: number;
}

export const bare = (address: string): string => address.split('/')[0] as string;

export class Ledger {
  readonly held: Held[] = [];
  readonly #byId = new Map<string, Held>();
  /** Times in which what a host was given may have been given to its earlier boot. */
  readonly #reboots = new Map<string, Spell[]>();
  /** Names whose attach was never answered for certain, as `network/name`. */
  readonly undecided = new Set<string>();
  readonly violations: string[] = [];
  readonly outcomes = new Map<string, number>();
  /** The same one by one; `of` is the network that was asked for. */
  readonly told: { readonly at: number; readonly what: string; readonly of?: string }[] = [];
  readonly attachedAt: number[] = [];

  constructor(private readonly weather: Weather) {}

  count(what: string, of?: string): void {
    this.outcomes.set(what, (this.outcomes.get(what) ?? 0) + 1);
    this.told.push({ at: nowMs(), what, ...(of === undefined ? {} : { of }) });
  }

  find(id: string): Held | undefined {
    return this.#byId.get(id);
  }

  /** `behind`: hosts that were said to lack it; `isUsable`: its own host has plugged it in. */
  attached(
    told: Told,
    behind: readonly string[],
    isUsable: boolean,
    hosts: readonly string[],
  ): Held {
    const endedAt = Number.POSITIVE_INFINITY;
    const held: Held = { ...told, promised: new Map(), isGone: false, endedAt };
    const reboots = this.#reboots.get(told.host) ?? [];
    if (overlaps(reboots, told.sentAt, told.answeredAt)) {
      held.mayBeGone = `${told.host} was rebooted meanwhile`;
      held.endedAt = told.answeredAt;
    }
    this.#endEarlierHolders(held);
    this.held.push(held);
    this.#byId.set(held.id, held);
    this.attachedAt.push(told.answeredAt);
    if (isUsable && !isOver(held)) this.#promise(held, behind, hosts);
    return held;
  }

  /** A host that had programmed this attach had programmed all that was attached to the network before. */
  #promise(latest: Held, behind: readonly string[], hosts: readonly string[]): void {
    const { sentAt, answeredAt, network } = latest;
    const peers = this.held.filter(
      (one) => one.network === network && one.answeredAt <= answeredAt && !isOver(one),
    );
    const taking = new Set(peers.map(({ host }) => host));
    for (const host of hosts) {
      if (!taking.has(host) || behind.includes(host)) continue;
      if (!this.weather.isSteady(host, sentAt, answeredAt)) continue;
      for (const one of peers) if (!one.promised.has(host)) one.promised.set(host, answeredAt);
    }
  }

  /** Another was given an address that somebody had not let go: right only if it may have been reclaimed. */
  #endEarlierHolders(next: Held): void {
    for (const one of this.held) {
      if (one.networkId !== next.networkId || isOver(one)) continue;
      if (!one.addresses.some((address) => next.addresses.includes(address))) continue;
      one.endedAt = Math.min(one.endedAt, next.sentAt);
      if (one.mayBeGone !== undefined || this.#mayBeReclaimed(one, next.answeredAt)) continue;
      this.violations.push(
        `${next.addresses.join()} on ${next.network} was given to ${next.name} while ${one.name} on ${one.host} held it`,
      );
    }
  }

  #mayBeReclaimed(one: Held, at: number): boolean {
    const isFenced = policyOf(one.network) === 'fence';
    return isFenced && !this.weather.isSteady(one.host, one.answeredAt, at);
  }

  /** The host's boot is over, and all that it held with it. The answer is called when the next boot is known. */
  rebooted(host: string): () => void {
    const at = nowMs();
    const spell = { from: at, to: Number.POSITIVE_INFINITY };
    this.#reboots.set(host, [...(this.#reboots.get(host) ?? []), spell]);
    for (const one of this.held) {
      if (one.host === host && !one.isGone) {
        one.mayBeGone = `${host} was rebooted`;
        one.endedAt = Math.min(one.endedAt, at);
      }
      one.promised.delete(host);
    }
    return () => void (spell.to = nowMs());
  }

  /** A host was down without anybody's doing: what it was promised to know since then, it may not know. */
  distrust(host: string, since: number): void {
    for (const { promised } of this.held) {
      if ((promised.get(host) ?? 0) > since) promised.delete(host);
    }
  }

  /** Whether an endpoint may be gone though nobody detached it. */
  mayBeGone(one: Held, now: number): boolean {
    return one.mayBeGone !== undefined || this.#mayBeReclaimed(one, now);
  }

  /** P1 as clients saw it: of two holders of an address, one was acknowledged before the other's detach was sent. */
  overlapping(now: number): string[] {
    const byAddress = new Map<string, Held[]>();
    for (const one of this.held) {
      for (const address of one.addresses) {
        const key = `${one.network} ${address}`;
        byAddress.set(key, [...(byAddress.get(key) ?? []), one]);
      }
    }
    return [...byAddress].flatMap(([key, holders]) => {
      const sorted = holders.toSorted((a, b) => a.answeredAt - b.answeredAt);
      return sorted.flatMap((one, index) => {
        const next = sorted[index + 1];
        if (next === undefined || next.id === one.id || this.mayBeGone(one, now)) return [];
        const until = one.detachSentAt ?? Number.POSITIVE_INFINITY;
        return until <= next.answeredAt ? [] : [`${key}: ${one.name} and ${next.name}`];
      });
    });
  }
}

const isOver = (one: Held): boolean =>
  one.isGone || one.detachSentAt !== undefined || one.endedAt !== Number.POSITIVE_INFINITY;
