// What happens after an actor has thrown: start afresh, end, or hand the fault to the parent. Too many restarts within a
// time are handed up as well.

export type Directive = 'restart' | 'stop' | 'escalate';

export interface Supervision {
  readonly decide: (fault: unknown) => Directive;
  /** Restarts that are allowed within `withinMs`; one more escalates. */
  readonly maxRestarts: number;
  readonly withinMs: number;
}

export const defaultSupervision: Supervision = {
  decide: () => 'restart',
  maxRestarts: 5,
  withinMs: 60_000,
};

/** Counts restarts; the owner takes each back when its time is over. */
export class RestartBudget {
  readonly #supervision: Supervision;
  #used = 0;

  constructor(supervision: Supervision) {
    this.#supervision = supervision;
  }

  decide(fault: unknown): Directive {
    const directive = this.#supervision.decide(fault);
    if (directive !== 'restart') return directive;
    if (this.#used >= this.#supervision.maxRestarts) return 'escalate';
    this.#used += 1;
    return 'restart';
  }

  giveBack(): void {
    this.#used -= 1;
  }
}
