// The replicated half of leases: which exist, how long they were granted for, and which keys hang on each. When one runs out
// is the leader's judgement (lease-deadlines.ts); here it ends by a command only.

import { type LeaseRecord } from './types';

interface Lease {
  readonly ttlMs: number;
  /** Counts all grants: tells a lease from a later one of the same name. */
  readonly grant: number;
  /** What a leader last wrote down of its time left; absent: the full time. */
  remainingMs: number | undefined;
  /** A set only if it is more than one key. */
  keys: string | Set<string> | undefined;
}

/** A lease as a snapshot holds it: its keys follow from the keys. */
export interface LeaseSnapshot {
  readonly lease: string;
  readonly ttlMs: number;
  readonly grant: number;
  readonly remainingMs?: number;
}

export class Leases {
  private readonly leases = new Map<string, Lease>();

  /** `granted`: how many were granted without a name of their own; `grants`: how many in all. Both are state. */
  constructor(
    private granted = 0,
    private grants = 0,
  ) {}

  get counters(): { granted: number; grants: number } {
    return { granted: this.granted, grants: this.grants };
  }

  get size(): number {
    return this.leases.size;
  }

  /** Skips names and grants, so that none is given again to another after a restore. */
  skip(count: number): void {
    this.granted += count;
    this.grants += count;
  }

  has(lease: string): boolean {
    return this.leases.has(lease);
  }

  get(lease: string): LeaseRecord | undefined {
    const found = this.leases.get(lease);
    return found && record(lease, found);
  }

  /** Keys that hang on a lease, ascending. */
  keysOf(lease: string): string[] {
    const keys = this.leases.get(lease)?.keys;
    if (keys === undefined) return [];
    return typeof keys === 'string' ? [keys] : [...keys].sort();
  }

  /** Returns a name that no lease has. */
  freeName(): string {
    do this.granted += 1;
    while (this.leases.has(`lease-${this.granted}`));
    return `lease-${this.granted}`;
  }

  grant(lease: string, ttlMs: number): void {
    this.grants += 1;
    this.restore({ lease, ttlMs, grant: this.grants });
  }

  restore({ lease, ttlMs, grant, remainingMs }: LeaseSnapshot): void {
    this.leases.set(lease, { ttlMs, grant, remainingMs, keys: undefined });
  }

  /** Writes down the time left; the full time or more takes the note away. */
  checkpoint(lease: string, remainingMs: number): void {
    const found = this.leases.get(lease);
    if (found === undefined) return;
    found.remainingMs = remainingMs < found.ttlMs ? remainingMs : undefined;
  }

  /** Ends a lease and names the keys that go with it, ascending so that every replica deletes in one order. */
  end(lease: string): string[] {
    const keys = this.keysOf(lease);
    this.leases.delete(lease);
    return keys;
  }

  attach(lease: string, key: string): void {
    const found = this.leases.get(lease);
    if (found === undefined) return;
    if (found.keys === undefined || found.keys === key) found.keys = key;
    else if (typeof found.keys === 'string') found.keys = new Set([found.keys, key]);
    else found.keys.add(key);
  }

  detach(lease: string, key: string): void {
    const found = this.leases.get(lease);
    if (found === undefined) return;
    if (found.keys === key) found.keys = undefined;
    else if (typeof found.keys === 'object') found.keys.delete(key);
  }

  snapshot(): LeaseSnapshot[] {
    return [...this.leases].map(([lease, { ttlMs, grant, remainingMs }]) =>
      remainingMs === undefined ? { lease, ttlMs, grant } : { lease, ttlMs, grant, remainingMs },
    );
  }

  list(): LeaseRecord[] {
    return [...this.leases].map(([lease, found]) => record(lease, found));
  }
}

function record(lease: string, { ttlMs, grant, remainingMs, keys }: Lease): LeaseRecord {
  const count = keys === undefined ? 0 : typeof keys === 'string' ? 1 : keys.size;
  const left = remainingMs === undefined ? {} : { remainingMs };
  return { lease, ttlMs, grant, keys: count, ...left };
}
