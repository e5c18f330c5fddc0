// What the clients of a chaos run were told: which endpoint held which addresses from when until when. Judges nothing but
// what follows from answers alone; times are of one clock, this process' own.

export interface Held {
  readonly id: string;
  readonly networkId: string;
  readonly name: string;
  readonly host: string;
  readonly addresses: readonly string[];
  /** Name of the container, if it has a sandbox. */
  readonly container: string | undefined;
  readonly acknowledgedAt: number;
  /** When its detach was sent first; absent: it is to be there. */
  detachSentAt?: number;
  isGone: boolean;
}

export class Journal {
  readonly held: Held[] = [];
  /** Names whose attach was never answered for certain, as `network/name`. */
  readonly undecided = new Set<string>();
  readonly violations: string[] = [];
  readonly counts: Record<string, number> = {};

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  acknowledged(one: Held): void {
    this.held.push(one);
    this.count('attached');
  }

  live(): Held[] {
    return this.held.filter(({ detachSentAt }) => detachSentAt === undefined);
  }

  /** P1 as clients see it: two of one address overlap only if one was acknowledged before the other's detach was sent. */
  overlaps(): string[] {
    const byAddress = new Map<string, Held[]>();
    for (const one of this.held) {
      for (const address of one.addresses) {
        const key = `${one.networkId} ${address}`;
        byAddress.set(key, [...(byAddress.get(key) ?? []), one]);
      }
    }
    return [...byAddress].flatMap(([key, holders]) => {
      const sorted = holders.sort((a, b) => a.acknowledgedAt - b.acknowledgedAt);
      return sorted.flatMap((one, index) => {
        const next = sorted[index + 1];
        if (next === undefined || next.id === one.id) return [];
        const end = one.detachSentAt ?? Infinity;
        return end <= next.acknowledgedAt
          ? []
          : [`${key} was held by ${one.name} and ${next.name}`];
      });
    });
  }
}
