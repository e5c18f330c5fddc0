// The replicated half of leases: which exist, how long they were granted for, and which keys hang on each. When one runs out
// is the leader's judgement (lease-deadlines.ts); here it ends by a command only.

import { type LeaseRecord } from './types';

interface Lease {
  readonly ttlMs: number;
  readonly keys: Set<string>;
}

export interface LeaseSnapshot {
  readonly lease: string;
  readonly ttlMs: number;
}

export class Leases {
  private readonly leases = new Map<string, Lease>();

  constructor(private granted = 0) {}

  /** How many were granted without a name of their own; part of the state, since names derive from it. */
  get counter(): number {
    return this.granted;
  }

  has(lease: string): boolean {
    return this.leases.has(lease);
  }

  get(lease: string): LeaseRecord | undefined {
    const found = this.leases.get(lease);
    return found && { lease, ttlMs: found.ttlMs, keys: found.keys.size };
  }

  /** Returns a name that no lease has. */
  freeName(): string {
    do this.granted += 1;
    while (this.leases.has(`lease-${this.granted}`));
    return `lease-${this.granted}`;
  }

  grant(lease: string, ttlMs: number): void {
    this.leases.set(lease, { ttlMs, keys: new Set() });
  }

  /** Ends a lease and names the keys that go with it, ascending so that every replica deletes in one order. */
  end(lease: string): string[] {
    const keys = [...(this.leases.get(lease)?.keys ?? [])].sort();
    this.leases.delete(lease);
    return keys;
  }

  attach(lease: string, key: string): void {
    this.leases.get(lease)?.keys.add(key);
  }

  detach(lease: string, key: string): void {
    this.leases.get(lease)?.keys.delete(key);
  }

  list(): LeaseRecord[] {
    return [...this.leases].map(([lease, { ttlMs, keys }]) => ({ lease, ttlMs, keys: keys.size }));
  }
}
