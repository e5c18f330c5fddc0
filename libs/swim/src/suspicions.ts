// All suspicions that run, by the name of the accused, and when the next of them ends. Knows no members, sends nothing.

import type { Suspicion } from './suspicion';

export class Suspicions {
  readonly #byName = new Map<string, Suspicion>();
  /** The earliest ends, kept until something moves them: a busy member looks at them with every packet. */
  #earliest: { readonly deadlineAt: number; readonly longestAt: number } | null = null;

  get(name: string): Suspicion | undefined {
    return this.#byName.get(name);
  }

  start(name: string, suspicion: Suspicion): void {
    this.#byName.set(name, suspicion);
    this.#earliest = null;
  }

  end(name: string): void {
    if (this.#byName.delete(name)) this.#earliest = null;
  }

  clear(): void {
    this.#byName.clear();
    this.#earliest = null;
  }

  /** True if the accuser is new and its word was still wanted. */
  confirm(name: string, accuser: string): boolean {
    const isCounted = this.#byName.get(name)?.confirm(accuser) ?? false;
    if (isCounted) this.#earliest = null;
    return isCounted;
  }

  shift(byMs: number): void {
    for (const suspicion of this.#byName.values()) suspicion.shift(byMs);
    this.#earliest = null;
  }

  excuseSilence(silence: { from: number; to: number }): void {
    for (const suspicion of this.#byName.values()) suspicion.excuseSilence(silence);
    this.#earliest = null;
  }

  /** When the first of them ends; whoever hears nobody waits for the longest. Infinity if there is none. */
  nextAt(isSilent: boolean): number {
    this.#earliest ??= this.#findEarliest();
    return isSilent ? this.#earliest.longestAt : this.#earliest.deadlineAt;
  }

  /** Names whose suspicion is over. */
  due(now: number, isSilent: boolean): string[] {
    if (now < this.nextAt(isSilent)) return [];
    const due: string[] = [];
    for (const [name, { deadlineAt, longestAt }] of this.#byName) {
      if (now >= (isSilent ? longestAt : deadlineAt)) due.push(name);
    }
    return due;
  }

  #findEarliest(): { deadlineAt: number; longestAt: number } {
    const earliest = { deadlineAt: Infinity, longestAt: Infinity };
    for (const { deadlineAt, longestAt } of this.#byName.values()) {
      if (deadlineAt < earliest.deadlineAt) earliest.deadlineAt = deadlineAt;
      if (longestAt < earliest.longestAt) earliest.longestAt = longestAt;
    }
    return earliest;
  }
}
