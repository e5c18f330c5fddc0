// What hosts have said of themselves and of each other since this replica became the active one. Nothing of it is
// committed; it is what decisions are made from.

import type {
  HostView,
  Opinion,
  ParsedRequestOf,
  Reachability,
  heartbeatContract,
} from '@skein/contracts';
import type { ObservedHost } from './liveness-rule';

export type Heartbeat = ParsedRequestOf<typeof heartbeatContract>;

export interface Heard {
  readonly at: number;
  readonly programmed: number;
  /** Repairs of drift, all kinds together. */
  readonly repairs: number;
  readonly accuses: readonly string[];
  readonly suspects?: readonly string[] | undefined;
  readonly vouchesFor: readonly string[];
  /** Hosts that it reaches over TCP alone. */
  readonly blockedTo?: readonly string[] | undefined;
  /** What it found of the ways to others. */
  readonly reachability?: readonly Reachability[] | undefined;
  /** Frames that its filters have kept out. */
  readonly dropped?: HostView['dropped'];
}

type Opinions = NonNullable<HostView['opinions']>;

export class Roster {
  readonly #heard = new Map<string, Heard>();
  readonly #grantedAt = new Map<string, number>();
  readonly #upSince = new Map<string, number>();
  readonly #since: number;

  /** `since`: when listening began; a host that was not heard since counts as heard then. */
  constructor(since: number) {
    this.#since = since;
  }

  heard(hostId: string): Heard | undefined {
    return this.#heard.get(hostId);
  }

  /** When it came up, or listening began. */
  upSince(hostId: string): number {
    return this.#upSince.get(hostId) ?? this.#since;
  }

  /** `isComingUp`: it was not up before. */
  registered(hostId: string, at: number, isComingUp = false): void {
    if (isComingUp) {
      this.#upSince.set(hostId, at);
      this.#grantedAt.delete(hostId);
    }
    const { programmed = 0, repairs = 0 } = this.#heard.get(hostId) ?? {};
    this.#heard.set(hostId, { at, programmed, repairs, accuses: [], vouchesFor: [] });
  }

  heartbeat(heartbeat: Heartbeat, at: number): void {
    const { host, programmed, repairs, opinions, reachability, dropped } = heartbeat;
    const about = (...states: Opinion['state'][]): string[] =>
      opinions.filter(({ state }) => states.includes(state)).map((each) => each.host);
    const accuses = about('dead', 'left');
    const suspects = about('suspect');
    const vouchesFor = about('alive');
    const blockedTo = opinions.filter(({ udpBlocked }) => udpBlocked).map((each) => each.host);
    const total = Object.values(repairs).reduce((sum, count) => sum + count, 0);
    const said = { accuses, suspects, vouchesFor, blockedTo, reachability, dropped };
    this.#heard.set(host, { at, programmed, repairs: total, ...said });
  }

  /** A lease went out with an answer. */
  granted(hostId: string, at: number): void {
    this.#grantedAt.set(hostId, at);
  }

  grantedAt(hostId: string): number | undefined {
    return this.#grantedAt.get(hostId);
  }

  /** Who thinks what of whom, among those that were heard since `since`; a host of which nobody says anything is left out. */
  opinions(since: number): ReadonlyMap<string, Opinions> {
    const opinions = new Map<string, Opinions>();
    const of = (host: string): Opinions => {
      const known = opinions.get(host) ?? { alive: 0, suspect: [], dead: [] };
      opinions.set(host, known);
      return known;
    };
    for (const [by, { at, vouchesFor, suspects = [], accuses }] of this.#heard) {
      if (at < since) continue;
      for (const host of vouchesFor) if (host !== by) of(host).alive += 1;
      for (const host of suspects) of(host).suspect.push(by);
      for (const host of accuses) of(host).dead.push(by);
    }
    return opinions;
  }

  /** Hosts whose datagrams do not get through to this one, by their own word. */
  udpBlockedFrom(hostId: string): string[] {
    const blocked = [...this.#heard].filter(([, heard]) => heard.blockedTo?.includes(hostId));
    return blocked.map(([id]) => id).sort();
  }

  forget(hostId: string): void {
    this.#heard.delete(hostId);
    this.#grantedAt.delete(hostId);
    this.#upSince.delete(hostId);
  }

  observe(hosts: Iterable<{ readonly id: string; readonly state: 'up' | 'down' }>): ObservedHost[] {
    return [...hosts].map(({ id, state }) => {
      const heard = this.#heard.get(id);
      const { at: lastHeardAt = this.#since, accuses = [], vouchesFor = [] } = heard ?? {};
      const { suspects = [] } = heard ?? {};
      return { id, state, lastHeardAt, accuses, suspects, vouchesFor };
    });
  }
}
