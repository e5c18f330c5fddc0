// Reads that must not be stale: gathers those of a turn under one question to the core, whose answer is an index that must be
// applied before they are served. One question is on its way at a time; what comes meanwhile shares the next.

import type { ReadOutcome } from '@skein/raft';
import { refused, type Answer, type Answered } from './types';

/** The state in memory holds everything that was committed when `asOfMs` (monotonic) was read from the clock. */
export interface Confirmation {
  readonly asOfMs: number;
}

export type ReadLevel = 'linearizable' | 'lease' | 'bounded' | 'stale';

interface Round {
  readonly askedAt: number;
  readonly readers: readonly Answer<Confirmation>[];
}

export interface ReadPorts {
  /** With `leaseNowMs`: a lease that holds at that time will do. */
  ask(context: number, leaseNowMs?: number): void;
  appliedIndex(): number;
  /** What was known to be committed at the start is not applied again yet. */
  isReplaying(): boolean;
  nowMs(): number;
  /** Something waits: `flush` is to be called at the end of the turn. */
  defer(): void;
}

export class ReadRounds {
  private waiting: Answer<Confirmation>[] = [];
  private waitingForLease: Answer<Confirmation>[] = [];
  private context = 0;
  /** The ordinary question that is on its way. */
  private pending: number | undefined;
  private readonly asked = new Map<number, Round>();
  private confirmed: (Round & { readonly index: number })[] = [];
  /** When the newest question was asked whose answer is applied: the state is no older than that. */
  freshAsOfMs = -Infinity;

  constructor(private readonly ports: ReadPorts) {}

  /** Answers when the state in memory may be read at this level. */
  at(level: ReadLevel, maxStalenessMs: number, answer: Answer<Confirmation>): void {
    switch (level) {
      case 'linearizable':
        return this.confirm(answer);
      case 'lease':
        return this.confirmByLease(answer);
      case 'bounded':
        return this.confirmFreshness(maxStalenessMs, answer);
      case 'stale':
        if (this.ports.isReplaying()) return answer(stillReplaying);
        return answer({ ok: true, reply: { asOfMs: this.freshAsOfMs } });
    }
  }

  /** Answers when the state in memory holds everything that was committed before this call. */
  confirm(answer: Answer<Confirmation>): void {
    this.waiting.push(answer);
    if (this.pending === undefined) this.ports.defer();
  }

  /** As `confirm`, but on the leader's word alone while its lease surely holds. */
  confirmByLease(answer: Answer<Confirmation>): void {
    this.waitingForLease.push(answer);
    this.ports.defer();
  }

  /**
   * Answers when the state is at most `maxStalenessMs` old. Counted from the asking of a question, never from the arrival of
   * an answer: what came late out of a buffer proves nothing about now.
   */
  confirmFreshness(maxStalenessMs: number, answer: Answer<Confirmation>): void {
    const isFresh = (asOfMs: number): boolean => this.ports.nowMs() - asOfMs <= maxStalenessMs;
    const { freshAsOfMs } = this;
    if (isFresh(freshAsOfMs)) return answer({ ok: true, reply: { asOfMs: freshAsOfMs } });
    this.confirm((confirmed) => {
      if (confirmed.ok && isFresh(confirmed.reply.asOfMs)) return answer(confirmed);
      const stalenessMs = Math.round(this.ports.nowMs() - this.freshAsOfMs);
      const facts = {
        maxStalenessMs,
        stalenessMs: Number.isFinite(stalenessMs) ? stalenessMs : null,
      };
      answer(refused('too_stale', 'This replica is further behind than was allowed', { facts }));
    });
  }

  settled(outcome: ReadOutcome): void {
    const { context } = outcome;
    const round = this.asked.get(context);
    if (round === undefined) return;
    this.asked.delete(context);
    if (context === this.pending) this.pending = undefined;
    if (outcome.confirmed) {
      this.confirmed.push({ index: outcome.index, ...round });
      this.applied();
    } else {
      const code = outcome.code === 'no_leader' ? 'no_leader' : 'not_leader';
      answerAll(round.readers, refused(code, 'Leadership is changing'));
    }
    if (this.waiting.length > 0) this.ports.defer();
  }

  /** More was applied: serves the rounds that waited for it. */
  applied(): void {
    if (this.confirmed.length === 0) return;
    const appliedIndex = this.ports.appliedIndex();
    const ready = this.confirmed.filter(({ index }) => index <= appliedIndex);
    if (ready.length === 0) return;
    this.confirmed = this.confirmed.filter(({ index }) => index > appliedIndex);
    for (const { askedAt, readers } of ready) {
      this.freshAsOfMs = Math.max(this.freshAsOfMs, askedAt);
      answerAll(readers, { ok: true, reply: { asOfMs: askedAt } });
    }
  }

  /** Nothing will be confirmed any more. */
  rejectAll(): void {
    const rounds = [...this.asked.values(), ...this.confirmed];
    const readers = [...rounds.flatMap((round) => round.readers), ...this.waiting];
    this.asked.clear();
    this.confirmed = [];
    const left = [...readers, ...this.waitingForLease];
    this.waiting = [];
    this.waitingForLease = [];
    answerAll(left, refused('unavailable', 'This replica takes no part any more'));
  }

  flush(): void {
    if (this.waitingForLease.length > 0) {
      const readers = this.waitingForLease;
      this.waitingForLease = [];
      this.question(readers, true);
    }
    if (this.waiting.length === 0 || this.pending !== undefined) return;
    const readers = this.waiting;
    this.waiting = [];
    this.pending = this.context + 1;
    this.question(readers, false);
  }

  private question(readers: readonly Answer<Confirmation>[], byLease: boolean): void {
    const askedAt = this.ports.nowMs();
    this.context += 1;
    this.asked.set(this.context, { askedAt, readers });
    if (byLease) this.ports.ask(this.context, askedAt);
    else this.ports.ask(this.context);
  }
}

const stillReplaying = refused('unavailable', 'This replica still replays its log');

function answerAll(
  readers: readonly Answer<Confirmation>[],
  answered: Answered<Confirmation>,
): void {
  for (const answer of readers) answer(answered);
}
