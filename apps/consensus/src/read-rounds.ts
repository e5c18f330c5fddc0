// Linearizable reads: gathers those of a turn under one question to the core, whose answer is an index that must be applied
// before they are served. One question is on its way at a time; what comes meanwhile shares the next.

import { SkeinError } from '@skein/contracts';
import type { ReadOutcome } from '@skein/raft';

interface Reader {
  readonly resolve: () => void;
  readonly reject: (error: SkeinError) => void;
}

export class ReadRounds {
  private waiting: Reader[] = [];
  private isScheduled = false;
  private context = 0;
  private readonly asked = new Map<number, Reader[]>();
  private readonly confirmed: { index: number; readers: Reader[] }[] = [];

  constructor(
    private readonly ask: (context: number) => void,
    private readonly appliedIndex: () => number,
  ) {}

  /** Resolves when the state in memory holds everything that was committed before this call. */
  confirm(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.schedule();
    });
  }

  settled(outcome: ReadOutcome): void {
    const readers = this.asked.get(outcome.context);
    if (readers === undefined) return;
    this.asked.delete(outcome.context);
    if (outcome.confirmed) {
      this.confirmed.push({ index: outcome.index, readers });
      this.applied();
    } else {
      const code = outcome.code === 'no_leader' ? 'no_leader' : 'not_leader';
      for (const { reject } of readers) reject(new SkeinError(code, 'Leadership is changing'));
    }
    this.schedule();
  }

  /** More was applied: serves the rounds that waited for it. */
  applied(): void {
    const appliedIndex = this.appliedIndex();
    while ((this.confirmed[0]?.index ?? Infinity) <= appliedIndex) {
      for (const { resolve } of this.confirmed.shift()?.readers ?? []) resolve();
    }
  }

  private schedule(): void {
    if (this.isScheduled || this.waiting.length === 0 || this.asked.size > 0) return;
    this.isScheduled = true;
    queueMicrotask(() => {
      this.isScheduled = false;
      this.context += 1;
      this.asked.set(this.context, this.waiting);
      this.waiting = [];
      this.ask(this.context);
    });
  }
}
