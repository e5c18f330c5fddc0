// The real store's state machine with time made by the simulation: leases run out, and every call may be lost on the way there
// or back, arrive late, or be sent twice. Whoever calls can't tell a lost request from a lost answer, as in life.

import {
  createStore,
  type Outcome,
  type StoreEvent,
  type StoreReply,
  type StoreRequest,
} from '@skein/store';
import type { EventQueue } from '../event-queue';
import type { Random } from '../random';

export interface CallConditions {
  /** Probability that a message is lost, each way. */
  loss: number;
  /** Probability that a message takes ten times as long. */
  straggler: number;
}

const maxDelayMs = 20;

export class SimulatedStore {
  readonly core = createStore();
  readonly conditions: CallConditions = { loss: 0, straggler: 0 };
  private readonly leaseEnds = new Map<string, number>();

  constructor(
    private readonly queue: EventQueue,
    private readonly random: Random,
    /** Told of every revision, as it is committed. */
    private readonly onCommit: (events: readonly StoreEvent[]) => void,
  ) {}

  get revision(): number {
    return this.core.status.revision;
  }

  apply(request: StoreRequest): Outcome<StoreReply> {
    const { appliedIndex, revision } = this.core.status;
    const at = Math.floor(this.queue.nowMs);
    const [outcome] = this.core.apply(appliedIndex + 1, { at, requests: [request] });
    if (request.type === 'grantLease' && outcome?.ok === true && 'ttlMs' in outcome.reply) {
      this.keepAlive(outcome.reply.lease, outcome.reply.ttlMs);
    }
    if (this.revision > revision) this.onCommit(this.eventsAfter(revision));
    return outcome as Outcome<StoreReply>;
  }

  /** False if the lease is gone. */
  keepAlive(lease: string, ttlMs: number): boolean {
    if (this.core.lease(lease) === undefined) return false;
    const end = this.queue.nowMs + ttlMs;
    this.leaseEnds.set(lease, end);
    this.queue.after(ttlMs, () => {
      if (this.leaseEnds.get(lease) !== end || this.core.lease(lease) === undefined) return;
      this.leaseEnds.delete(lease);
      this.apply({ type: 'expireLease', lease });
    });
    return true;
  }

  read(prefix: string) {
    const outcome = this.core.range({ key: prefix, prefix: true });
    return outcome.ok ? outcome.reply.kvs : [];
  }

  /** One message there and one back; `answered` may never be called, and `run` may run when nobody waits any more. */
  carry<Reply>(run: () => Reply, answered: (reply: Reply) => void): void {
    const [isLost, isAnswerLost] = [this.isLost(), this.isLost()];
    const [there, back] = [this.delayMs(), this.delayMs()];
    if (isLost) return;
    this.queue.after(there, () => {
      const reply = run();
      if (!isAnswerLost) this.queue.after(back, () => answered(reply));
    });
  }

  private isLost(): boolean {
    return this.random.chance(this.conditions.loss);
  }

  private delayMs(): number {
    const delayMs = 1 + this.random.next() * maxDelayMs;
    return this.random.chance(this.conditions.straggler) ? delayMs * 40 : delayMs;
  }

  private eventsAfter(revision: number): readonly StoreEvent[] {
    const span = { single: false as const, from: '', end: undefined };
    const outcome = this.core.eventsSince({ from: revision + 1, span, previous: true });
    if (!outcome.ok) throw new Error(outcome.refusal.message);
    return outcome.reply.revisions.flatMap(({ events }) => events);
  }
}
