// Sends one call until it is answered or its time is up. Knows which answers are final, which ask for another try at once or
// later, and after which it must be said that the outcome is unknown.

import { asksForRetry, leavesOpen, SkeinError } from '@skein/contracts';
import { Deadline } from '@skein/messaging';
import type { Time } from '@skein/time';

/** An attempt that is not answered in this time is given up: its server may be gone. */
export const attemptTimeoutMs = 1_500;
const pauseMs = { from: 5, to: 120 } as const;

/** Wakes those who wait for a leader. */
export class LeaderSignal {
  private readonly waiting = new Set<() => void>();

  raise(): void {
    for (const wake of [...this.waiting]) wake();
  }

  /** Calls back at the next signal; the answer takes it back. */
  next(wake: () => void): () => void {
    const once = (): void => {
      this.waiting.delete(once);
      wake();
    };
    this.waiting.add(once);
    return () => this.waiting.delete(once);
  }
}

export interface RetriedCall<Reply> {
  /** Sends it; the same request each time. */
  readonly send: (deadline: Deadline) => Promise<Reply>;
  readonly deadline: Deadline;
  readonly signal: LeaderSignal;
  /** True if it may change the state: then running out of time leaves the outcome unknown. */
  readonly isWrite: boolean;
  /** The clock of its deadline, and timers. */
  readonly time: Time;
  /** In [0, 1): spreads the attempts of many callers. */
  readonly chance: () => number;
}

export async function callWithRetry<Reply>(call: RetriedCall<Reply>): Promise<Reply> {
  let mayHaveRun = false;
  for (let waitMs: number = pauseMs.from; ; waitMs = Math.min(waitMs * 2, pauseMs.to)) {
    try {
      return await attempt(call);
    } catch (thrown) {
      const error = SkeinError.from(thrown);
      // The store kept no answer for it any more: it has seen it, or one that came after.
      if (error.code === 'request_superseded') throw outOfTime(error, call.isWrite);
      if (!asksForRetry(error)) throw error;
      mayHaveRun ||= leavesOpen(error);
      if (call.deadline.remainingMs() <= waitMs) throw outOfTime(error, call.isWrite && mayHaveRun);
      await pauseOrSignal(waitMs * (0.5 + call.chance() / 2), call);
    }
  }
}

/** One try: ended by its answer, by its own time limit, or by a new leader, who surely has not seen it. */
function attempt<Reply>({ send, deadline, signal, time }: RetriedCall<Reply>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const unsubscribe = signal.next(() =>
      reject(new SkeinError('deadline_exceeded', 'A new leader took office meanwhile')),
    );
    const limit = Deadline.after(attemptTimeoutMs, () => time.monotonicMs());
    send(Deadline.earlier(deadline, limit)).then(resolve, reject).finally(unsubscribe);
  });
}

function pauseOrSignal(
  ms: number,
  { signal, time }: Pick<RetriedCall<unknown>, 'signal' | 'time'>,
): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = signal.next(done);
    const cancel = time.after(ms, done);
    function done(): void {
      unsubscribe();
      cancel();
      resolve();
    }
  });
}

function outOfTime(last: SkeinError, isOpen: boolean): SkeinError {
  if (!isOpen) return last;
  const message = 'The store did not answer in time: it is not known whether the write took effect';
  return new SkeinError('unknown_outcome', message, { cause: last });
}
