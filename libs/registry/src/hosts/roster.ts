// What hosts have said of themselves and of each other since this replica became the active one. Nothing of it is
// committed; it is what decisions are made from.

import type { Opinion, ParsedRequestOf, heartbeatContract } from '@skein/contracts';
import type { ObservedHost } from './liveness-rule';

export type Heartbeat = ParsedRequestOf<typeof heartbeatContract>;

export interface Heard {
  readonly at: number;
  readonly programmed: number;
  /** Repairs of drift, all kinds together. */
  readonly repairs: number;
  readonly accuses: readonly string[];
  readonly vouchesFor: readonly string[];
}

export class Roster {
  readonly #heard = new Map<string, Heard>();
  readonly #since: number;

  /** `since`: when listening began; a host that was not heard since counts as heard then. */
  constructor(since: number) {
    this.#since = since;
  }

  heard(hostId: string): Heard | undefined {
    return this.#heard.get(hostId);
  }

  registered(hostId: string, at: number): void {
    const { programmed = 0, repairs = 0 } = this.#heard.get(hostId) ?? {};
    this.#heard.set(hostId, { at, programmed, repairs, accuses: [], vouchesFor: [] });
  }

  heartbeat({ host, programmed, repairs, opinions }: Heartbeat, at: number): void {
    const about = (...states: Opinion['state'][]): string[] =>
      opinions.filter(({ state }) => states.includes(state)).map((each) => each.host);
    const accuses = about('dead', 'left');
    const vouchesFor = about('alive');
    const total = Object.values(repairs).reduce((sum, count) => sum + count, 0);
    this.#heard.set(host, { at, programmed, repairs: total, accuses, vouchesFor });
  }

  forget(hostId: string): void {
    this.#heard.delete(hostId);
  }

  observe(hosts: Iterable<{ readonly id: string; readonly state: 'up' | 'down' }>): ObservedHost[] {
    return [...hosts].map(({ id, state }) => {
      const heard = this.#heard.get(id);
      const { at: lastHeardAt = this.#since, accuses = [], vouchesFor = [] } = heard ?? {};
      return { id, state, lastHeardAt, accuses, vouchesFor };
    });
  }
}
