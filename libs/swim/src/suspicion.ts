// One suspicion: who accuses, and when doubt becomes death (Lifeguard, dynamic suspicion). Knows no members, sends nothing.

import { suspicionTimeoutMs } from './formulas';

export class Suspicion {
  /** Each accuser counts once; the first is no confirmation. */
  readonly #accusers: Set<string>;
  readonly #terms: { readonly minMs: number; readonly maxMs: number; readonly wanted: number };
  /** From its start, by the confirmations so far. */
  timeoutMs: number;
  /** Moved by stalls alone: no silence prolongs a suspicion past its longest. */
  #bornAt: number;
  #startedAt: number;

  constructor(terms: {
    accuser: string;
    startedAt: number;
    minMs: number;
    maxMs: number;
    wanted: number;
  }) {
    this.#accusers = new Set([terms.accuser]);
    this.#terms = terms;
    this.#bornAt = terms.startedAt;
    this.#startedAt = terms.startedAt;
    this.timeoutMs = suspicionTimeoutMs({ ...terms, confirmations: 0 });
  }

  get confirmations(): number {
    return this.#accusers.size - 1;
  }

  get deadlineAt(): number {
    return Math.min(this.#startedAt + this.timeoutMs, this.longestAt);
  }

  /** The deadline as if nobody had confirmed. */
  get longestAt(): number {
    return this.#bornAt + this.#terms.maxMs;
  }

  /** True if the accuser is new and its word was still wanted. */
  confirm(accuser: string): boolean {
    if (this.confirmations >= this.#terms.wanted || this.#accusers.has(accuser)) return false;
    this.#accusers.add(accuser);
    const { confirmations } = this;
    this.timeoutMs = suspicionTimeoutMs({ ...this.#terms, confirmations });
    return true;
  }

  /** Moves the whole suspicion: time in which this process did not run is no evidence. */
  shift(byMs: number): void {
    this.#bornAt += byMs;
    this.#startedAt += byMs;
  }

  /** A suspicion that ran through a silence starts again where the silence ends. */
  excuseSilence(silence: { from: number; to: number }): void {
    this.#startedAt += silence.to - Math.max(silence.from, this.#startedAt);
  }
}
