// What a failure means for whoever asked the store: whether another try may do better, and whether the last one may have been
// done after all. The client and its simulated likeness decide by the same words.

/** As a SkeinError or a refusal has it. */
export interface StoreFailure {
  readonly code: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

const retried: ReadonlySet<string> = new Set([
  'unavailable',
  'not_leader',
  'no_leader',
  'overloaded',
  'deadline_exceeded',
  'unknown_outcome',
]);
const open: ReadonlySet<string> = new Set(['deadline_exceeded', 'unknown_outcome']);

/** The same request, sent again, may be answered. */
export function asksForRetry({ code }: StoreFailure): boolean {
  return retried.has(code);
}

/** The request may have been done, or may still be. */
export function leavesOpen({ code, facts }: StoreFailure): boolean {
  return open.has(code) || (code === 'unavailable' && facts?.['outcome'] === 'unknown');
}
