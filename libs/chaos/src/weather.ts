// What was done to whom, and when: from it follows which loss counts, whose word is to be trusted and when attaches could have
// succeeded. Times are of the run's clock. Inflicts nothing.

import { nowMs } from './clock';
import { managerIds } from './plan';

export interface Spell {
  readonly from: number;
  to: number;
}

/** A time that has not ended. */
const open = Number.POSITIVE_INFINITY;

export const overlaps = (spells: readonly Spell[], from: number, to: number): boolean =>
  spells.some((spell) => spell.from <= to && spell.to >= from);

/** After harm ends, this long until all is as before. */
const harmTailMs = 2_000;
/** A lease of a fenced network may have lapsed this long after its renewal was in doubt. */
const leaseTailMs = 15_000;
/** Seen up for this long after a fault, a host takes part again. */
const settleMs = 4_000;

export class Weather {
  /** Times in which a host's data plane was touched. */
  readonly #harm = new Map<string, Spell[]>();
  /** Times in which a host's agent could not be relied on: under a fault, or not known to be back. */
  readonly #unsteady = new Map<string, Spell[]>();
  readonly #upSince = new Map<string, number>();
  /** Times in which some renewal of a lease may have failed. */
  readonly #doubt: Spell[] = [];
  /** Times in which a process could not work. */
  readonly #away = new Map<string, Spell[]>();

  /** A fault of a process begins; the answer ends it. */
  ails(process: string): () => void {
    const spell = begin(this.#away, process);
    const isAgent = process.startsWith('agent-');
    const unsteady = isAgent ? begin(this.#unsteady, process.slice('agent-'.length)) : null;
    const doubt = this.#doubts();
    return () => {
      spell.to = nowMs();
      doubt();
      // Ended by `seen`, once the host has been up for a while.
      if (unsteady !== null) this.#upSince.delete(process.slice('agent-'.length));
    };
  }

  /** The data plane of a host is touched; the answer ends it. */
  harms(host: string): () => void {
    const spell = begin(this.#harm, host);
    return () => void (spell.to = nowMs() + harmTailMs);
  }

  #doubts(): () => void {
    const spell: Spell = { from: nowMs(), to: open };
    this.#doubt.push(spell);
    return () => void (spell.to = nowMs() + leaseTailMs);
  }

  /** The registry's word on a host, asked at `askedAt`. True if it is news that the host is down. */
  seen(host: string, isUp: boolean, askedAt: number): boolean {
    const isAiling = (this.#away.get(`agent-${host}`) ?? []).some(({ to }) => to > askedAt);
    if (!isUp || isAiling) {
      this.#upSince.delete(host);
      if (isUp || this.#isUnsteadyNow(host)) return false;
      begin(this.#unsteady, host);
      return true;
    }
    const since = this.#upSince.get(host) ?? askedAt;
    this.#upSince.set(host, since);
    if (askedAt - since < settleMs) return false;
    for (const spell of this.#unsteady.get(host) ?? []) if (spell.to === open) spell.to = askedAt;
    return false;
  }

  isSteady(host: string, from: number, to: number): boolean {
    return !overlaps(this.#unsteady.get(host) ?? [], from, to);
  }

  isHarmed(host: string, from: number, to: number): boolean {
    return overlaps(this.#harm.get(host) ?? [], from, to);
  }

  leaseInDoubt(from: number, to: number): boolean {
    return overlaps(this.#doubt, from, to);
  }

  isAiling(process: string): boolean {
    return (this.#away.get(process) ?? []).some(({ to }) => to === open);
  }

  /** How much of a time two managers, NATS, the gateway and one of each service could work for. */
  couldWorkMs(from: number, to: number): number {
    const step = 50;
    let worked = 0;
    for (let at = from; at < to; at += step) if (this.#couldWorkAt(at)) worked += step;
    return Math.min(worked, to - from);
  }

  /** How much of a time a quorum of managers could work for. */
  withQuorumMs(from: number, to: number): number {
    const step = 50;
    let worked = 0;
    for (let at = from; at < to; at += step) if (this.#quorumAt(at)) worked += step;
    return Math.min(worked, to - from);
  }

  #couldWorkAt(at: number): boolean {
    const fine = (process: string) => !overlaps(this.#away.get(process) ?? [], at, at);
    return (
      this.#quorumAt(at) &&
      ['nats', 'gateway'].every(fine) &&
      ['ipam', 'registry'].every((app) => fine(app) || fine(`${app}-2`))
    );
  }

  #quorumAt(at: number): boolean {
    const away = managerIds.filter((id) =>
      overlaps(this.#away.get(`consensus-${id}`) ?? [], at, at),
    );
    return away.length <= 1;
  }

  #isUnsteadyNow(host: string): boolean {
    return (this.#unsteady.get(host) ?? []).some(({ to }) => to === open);
  }
}

function begin(spells: Map<string, Spell[]>, key: string): Spell {
  const spell: Spell = { from: nowMs(), to: open };
  spells.set(key, [...(spells.get(key) ?? []), spell]);
  return spell;
}
