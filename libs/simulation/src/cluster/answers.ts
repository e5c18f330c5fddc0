// What clients were told, judged against the one history: every answer must be what the log says, no earlier
// than what anybody was told before, and nothing that was refused may have been done. It must not know how
// clients find replicas.
import {
  spanOf,
  type Outcome,
  type RangeReply,
  type RangeRequest,
  type StoreReply,
  type StoreRequest,
} from '@skein/store';
import { nameOf, type CommittedLog } from './committed-log';
import type { ReadLevel } from './read-level';
import type { Violations } from './violations';

export type Wish =
  | { readonly kind: 'write'; readonly request: StoreRequest }
  | { readonly kind: 'read'; readonly level: ReadLevel; readonly range: RangeRequest }
  | { readonly kind: 'keepAlive'; readonly lease: string };

export interface Call {
  readonly client: string;
  readonly wish: Wish;
  readonly startMs: number;
  readonly position: number;
  /** What somebody had been told before the call began. */
  readonly floor: number;
  endPosition: number;
  outcome: 'pending' | 'done' | 'refused' | 'unknown';
  write: Outcome<StoreReply> | null;
  read: RangeReply | null;
}

interface Renewal {
  readonly lease: string;
  readonly startMs: number;
  readonly ttlMs: number;
}

export class Answers {
  readonly calls: Call[] = [];
  private readonly renewals: Renewal[] = [];
  private floor = 0;
  /** One position for each thing that clients see or cause: the order that the checker goes by. */
  private position = 0;

  constructor(
    private readonly now: () => number,
    private readonly violations: Violations,
    private readonly committed: CommittedLog,
    private readonly limits: { readonly maxStalenessMs: number; readonly clockDrift: number },
  ) {}

  nextPosition(): number {
    this.position += 1;
    return this.position;
  }

  begin(client: string, wish: Wish): Call {
    const call: Call = {
      client,
      wish,
      startMs: this.now(),
      position: this.nextPosition(),
      floor: this.floor,
      endPosition: Infinity,
      outcome: 'pending',
      write: null,
      read: null,
    };
    this.calls.push(call);
    return call;
  }

  /** `mayHaveRun`: some attempt went unanswered, so that it may yet take effect. */
  gaveUp(call: Call, mayHaveRun: boolean): void {
    call.endPosition = this.nextPosition();
    call.outcome = mayHaveRun ? 'unknown' : 'refused';
    if (!mayHaveRun) this.checkRefused(call);
  }

  private checkRefused({ wish, client }: Call): void {
    if (wish.kind !== 'write' || !('once' in wish.request) || wish.request.once === undefined)
      return;
    if (this.committed.effectOf(wish.request.once) === undefined) return;
    const name = nameOf(wish.request.once);
    this.violations.report(
      'refused is never done',
      `${name} of ${client} was refused, and is done`,
    );
  }

  wrote(call: Call, outcome: Outcome<StoreReply>): void {
    call.endPosition = this.nextPosition();
    call.outcome = 'done';
    call.write = outcome;
    const { wish } = call;
    if (wish.kind !== 'write' || !('once' in wish.request) || wish.request.once === undefined)
      return;
    const { once } = wish.request;
    const effect = this.committed.effectOf(once);
    if (effect === undefined) {
      const detail = `${nameOf(once)} was answered ${JSON.stringify(outcome)}, and is not committed`;
      this.violations.report('acknowledged is never lost', detail);
      return;
    }
    if (JSON.stringify(effect.outcome) !== JSON.stringify(outcome)) {
      const detail = `${nameOf(once)}: told ${JSON.stringify(outcome)}`;
      this.violations.report(
        'done once',
        `${detail}, in the log ${JSON.stringify(effect.outcome)}`,
      );
    }
    if (!outcome.ok) return;
    const { revision } = outcome.reply;
    if (revision < call.floor) {
      const detail = `${nameOf(once)} is at ${revision}, after ${call.floor} was told`;
      this.violations.report('real time', detail);
    }
    this.floor = Math.max(this.floor, revision);
    if (wish.request.type === 'grantLease' && 'ttlMs' in outcome.reply) {
      this.renewals.push({ ...outcome.reply, startMs: call.startMs });
    }
  }

  renewed(call: Call, ttlMs: number): void {
    call.endPosition = this.nextPosition();
    call.outcome = 'done';
    if (call.wish.kind !== 'keepAlive') return;
    this.renewals.push({ lease: call.wish.lease, startMs: call.startMs, ttlMs });
  }

  didRead(call: Call, reply: RangeReply): void {
    call.endPosition = this.nextPosition();
    call.outcome = 'done';
    call.read = reply;
    const { wish } = call;
    if (wish.kind !== 'read') return;
    this.checkContent(wish.range, reply);
    const { revision } = reply;
    switch (wish.level) {
      case 'linearizable':
      case 'lease':
        if (revision < call.floor) {
          const rule = wish.level === 'lease' ? 'lease read' : 'real time';
          this.violations.report(
            rule,
            `${call.client} reads ${revision}, after ${call.floor} was told`,
          );
        }
        this.floor = Math.max(this.floor, revision);
        return;
      case 'bounded': {
        const { maxStalenessMs, clockDrift } = this.limits;
        const boundMs = maxStalenessMs * (1 + clockDrift) + 1;
        const oldest = this.committed.revisionAtTime(call.startMs - boundMs);
        if (revision >= oldest) return;
        const detail = `${call.client} reads ${revision}; ${oldest} is older than ${boundMs} ms`;
        this.violations.report('bounded staleness', detail);
        return;
      }
      case 'stale':
    }
  }

  private checkContent(range: RangeRequest, reply: RangeReply): void {
    if (reply.revision > this.committed.revision) {
      const detail = `revision ${reply.revision} of ${this.committed.revision}`;
      this.violations.report('phantom read', detail);
      return;
    }
    const expected = this.committed.stateAt(range.revision || reply.revision, spanOf(range));
    if (JSON.stringify(expected) === JSON.stringify(reply.kvs)) return;
    const detail = `${JSON.stringify(range)} at ${reply.revision}: ${JSON.stringify(reply.kvs)}`;
    this.violations.report('phantom read', `${detail} instead of ${JSON.stringify(expected)}`);
  }

  /** What can be said only at the end. */
  finish(): void {
    for (const call of this.calls) if (call.outcome === 'refused') this.checkRefused(call);
    for (const place of this.committed.repeatedValues) {
      this.violations.report('done once', `${place} was put twice`);
    }
    const slowest = 1 + this.limits.clockDrift;
    for (const { lease, atMs } of this.committed.leaseEnds) {
      for (const { lease: renewed, startMs, ttlMs } of this.renewals) {
        if (renewed !== lease || startMs > atMs || atMs >= startMs + ttlMs / slowest - 1) continue;
        const detail = `${lease} ends ${Math.round(atMs - startMs)} ms into its ${ttlMs} ms`;
        this.violations.report('lease ends early', detail);
      }
    }
  }

  get counts(): Record<'done' | 'refused' | 'unknown', number> {
    const count = (outcome: Call['outcome']): number =>
      this.calls.filter((call) => call.outcome === outcome).length;
    return { done: count('done'), refused: count('refused'), unknown: count('unknown') };
  }
}
