// Clock and timers as a port: who needs time is given it, so that a simulation can hand out its own. Knows nobody's deadlines.

export interface Time {
  /** Milliseconds since the epoch, for people. */
  wallMs(): number;
  /** Milliseconds since some moment, never backwards. */
  monotonicMs(): number;
  /** Calls back after `ms`; answers how to call it off. */
  after(ms: number, action: () => void): () => void;
  /** Calls back once everything that is ready has run. */
  soon(action: () => void): void;
}

/** Its timers alone keep no process alive. */
export const systemTime: Time = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (ms, action) => {
    const timeout = setTimeout(action, ms).unref();
    return () => clearTimeout(timeout);
  },
  soon: (action) => void setImmediate(action),
};

/** Resolves after `ms`. */
export function elapsed(time: Pick<Time, 'after'>, ms: number): Promise<void> {
  return new Promise((resolve) => void time.after(ms, resolve));
}

/** Resolves when the work is done, or after `ms`; rejects as the work does. */
export async function atMost(
  time: Pick<Time, 'after'>,
  ms: number,
  work: Promise<unknown>,
): Promise<void> {
  let cancel: (() => void) | undefined;
  const limit = new Promise<void>((resolve) => (cancel = time.after(ms, resolve)));
  try {
    await Promise.race([work, limit]);
  } finally {
    cancel?.();
  }
}

/** Calls back every `ms`; answers how to call it off. */
export function every(time: Pick<Time, 'after'>, ms: number, action: () => void): () => void {
  let cancel = (): void => undefined;
  const again = (): void => {
    cancel = time.after(ms, () => {
      again();
      action();
    });
  };
  again();
  return () => cancel();
}
