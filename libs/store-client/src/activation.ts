// One actor, one place: an activation holds the key of its actor under a lease that it keeps alive. Its fencing token is the
// revision that created the key, and belongs in every transaction it commits, so that a successor shuts it out for certain.

import { keys, SkeinError, type Compare } from '@skein/contracts';
import { systemTime, type Time } from '@skein/time';
import type { Store } from './store';

export interface ActivationOptions {
  readonly store: Store;
  /** Default: the machine's. */
  readonly time?: Time;
  readonly kind: string;
  readonly id: string;
  /** Who activates: written into the key, for people and for callers that look for the actor. */
  readonly replica: string;
  /** Renewed at a third of it. Default 5 s. */
  readonly ttlMs?: number;
  /** Called once when the activation is lost; not after `release`. Its owner must stop acting at once. */
  readonly onLost: (reason: ActivationLoss) => void;
}

/** `lease_gone`: the store says so. `not_renewed`: no renewal got through in time, so another may hold it by now. */
export type ActivationLoss = 'lease_gone' | 'not_renewed';

interface Asked {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export const defaultActivationTtlMs = 5_000;

export class Activation {
  private cancelRenewal: (() => void) | undefined;
  private isHeld = true;
  private validUntil: number;
  /** A machine that sleeps stops its monotonic clock; the time of day tells afterwards. */
  private validUntilWall: number;

  private constructor(
    private readonly options: ActivationOptions,
    private readonly lease: string,
    /** Revision that created the actor's key: grows with each activation. */
    readonly fencing: number,
    askedAt: Asked,
  ) {
    this.validUntil = askedAt.monotonicMs + this.ttlMs;
    this.validUntilWall = askedAt.wallMs + this.ttlMs;
    this.scheduleRenewal();
  }

  /** Takes the actor, or tells who has it. */
  static async take(options: ActivationOptions): Promise<Activation | { heldBy: string }> {
    const { store, time = systemTime, kind, id, replica } = options;
    const { ttlMs = defaultActivationTtlMs } = options;
    const key = keys.actor(kind, id);
    const askedAt = { monotonicMs: time.monotonicMs(), wallMs: time.wallMs() };
    const { lease } = await store.grantLease({ ttlMs });
    const value = JSON.stringify({ replica, at: time.wallMs() });
    const absent = { key, target: 'createRevision', operator: '=', value: 0 } as const;
    const taken = await store.txn({
      compare: [absent],
      success: [{ type: 'put', key, value, lease }],
      failure: [{ type: 'range', key }],
    });
    if (taken.succeeded) return new Activation(options, lease, taken.revision, askedAt);
    await store.revokeLease(lease).catch(() => undefined);
    const [result] = taken.results;
    const holder = result?.type === 'range' ? result.kvs[0]?.value : undefined;
    return { heldBy: replicaOf(holder) };
  }

  /** True only while no other can hold it. A wall clock that jumps ahead makes it false until the next renewal. */
  get isActive(): boolean {
    const { time, validUntil, validUntilWall } = this;
    return this.isHeld && time.monotonicMs() < validUntil && time.wallMs() < validUntilWall;
  }

  /** Holds as long as this activation is the current one: put it into each transaction. */
  fence(): Compare {
    const { kind, id } = this.options;
    const value = this.fencing;
    return { key: keys.actor(kind, id), target: 'createRevision', operator: '=', value };
  }

  /** Gives the actor up; another may take it at once. */
  async release(): Promise<void> {
    if (!this.isHeld) return;
    this.stop();
    await this.options.store.revokeLease(this.lease).catch((thrown: unknown) => {
      if (SkeinError.from(thrown).code !== 'lease_not_found') throw thrown;
    });
  }

  private get time(): Time {
    return this.options.time ?? systemTime;
  }

  private get ttlMs(): number {
    return this.options.ttlMs ?? defaultActivationTtlMs;
  }

  private scheduleRenewal(): void {
    this.cancelRenewal = this.time.after(this.ttlMs / 3, () => void this.renew());
  }

  private async renew(): Promise<void> {
    const askedAt = this.time.monotonicMs();
    const askedAtWall = this.time.wallMs();
    const timeoutMs = Math.max(50, Math.min(this.ttlMs / 3, this.validUntil - askedAt));
    try {
      await this.options.store.keepAlive(this.lease, { timeoutMs });
      this.validUntil = askedAt + this.ttlMs;
      this.validUntilWall = askedAtWall + this.ttlMs;
    } catch (thrown) {
      if (SkeinError.from(thrown).code === 'lease_not_found') return this.lose('lease_gone');
    }
    if (!this.isHeld) return;
    if (this.time.monotonicMs() >= this.validUntil) this.lose('not_renewed');
    else this.scheduleRenewal();
  }

  private lose(reason: ActivationLoss): void {
    if (!this.isHeld) return;
    this.stop();
    this.options.onLost(reason);
  }

  private stop(): void {
    this.isHeld = false;
    this.cancelRenewal?.();
  }
}

function replicaOf(value: string | undefined): string {
  try {
    return String((JSON.parse(value ?? '{}') as { replica?: unknown }).replica ?? 'unknown');
  } catch {
    return 'unknown';
  }
}
