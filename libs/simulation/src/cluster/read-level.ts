// How fresh a read must be, and how a simulated replica serves one. It must not know who asks.
import type { Answer, Answered, ReplicaCore } from '@skein/replica';
import type { RangeReply, RangeRequest, Store } from '@skein/store';

export type ReadLevel = 'linearizable' | 'lease' | 'bounded' | 'stale';

export interface ReadQuestion {
  readonly level: ReadLevel;
  readonly range: RangeRequest;
  readonly maxStalenessMs: number;
}

export function readAt(
  core: ReplicaCore,
  question: ReadQuestion,
  answer: Answer<RangeReply>,
): void {
  const { level, range, maxStalenessMs } = question;
  const look = (allowed: Answered<unknown>): void =>
    answer(allowed.ok ? rangeOf(core.store, range) : allowed);
  if (level === 'bounded') core.read(level, { maxStalenessMs }, look);
  else core.read(level, {}, look);
}

export function rangeOf(store: Store, range: RangeRequest): Answered<RangeReply> {
  return store.range(range);
}
