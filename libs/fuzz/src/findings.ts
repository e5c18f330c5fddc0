// What a run has seen: how often each operation answered what, and each fault once, with the request that showed it first.

export interface Finding {
  readonly operation: string;
  readonly kind: string;
  readonly fault: string;
  readonly times: number;
  /** Number of the request within its seed. */
  readonly index: number;
  readonly curl: string;
  /** How the answer began. */
  readonly answer: string;
}

export class Findings {
  readonly #statuses = new Map<string, Map<string, number>>();
  readonly #kinds = new Map<string, number>();
  readonly #faults = new Map<string, Finding>();
  requests = 0;

  count(operation: string, status: string, kind: string): void {
    this.requests += 1;
    const statuses = this.#statuses.get(operation) ?? new Map<string, number>();
    this.#statuses.set(operation, statuses);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
  }

  add(finding: Omit<Finding, 'times'>): void {
    const key = `${finding.operation} ${finding.fault}`;
    const earlier = this.#faults.get(key);
    if (earlier === undefined) this.#faults.set(key, { ...finding, times: 1 });
    else this.#faults.set(key, { ...earlier, times: earlier.times + 1 });
  }

  get faults(): readonly Finding[] {
    return [...this.#faults.values()];
  }

  get kinds(): Readonly<Record<string, number>> {
    return sorted(this.#kinds);
  }

  /** Operation, then status, then times. */
  get operations(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    const rows = [...this.#statuses].map(([name, counts]) => [name, sorted(counts)] as const);
    return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

const sorted = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
