// Between the core's answers and what a handler returns: a promise for a callback, a SkeinError for a refusal.

import {
  SkeinError,
  type ErrorCode,
  type rangeContract,
  type ParsedRequestOf,
} from '@skein/contracts';
import type { Answer, Answered, ReplicaCore } from '@skein/replica';
import type { RangeReply } from '@skein/store';

export function answerOf<Reply>(ask: (answer: Answer<Reply>) => void): Promise<Reply> {
  return new Promise((resolve, reject) => {
    ask((answered) => {
      if (answered.ok) resolve(answered.reply);
      else reject(errorOf(answered.refusal));
    });
  });
}

/** Reads inside the core's answer: nothing can come between the proof and the look. */
export function readAt(
  core: ReplicaCore,
  {
    consistency = 'linearizable',
    maxStalenessMs,
    ...request
  }: ParsedRequestOf<typeof rangeContract>,
): Promise<RangeReply> {
  return answerOf((answer) =>
    core.read(consistency, { maxStalenessMs }, (confirmed) => {
      answer(confirmed.ok ? core.store.range(request) : confirmed);
    }),
  );
}

export function replyOf<Reply>(answered: Answered<Reply>): Reply {
  if (answered.ok) return answered.reply;
  throw errorOf(answered.refusal);
}

type AnyRefusal = Extract<Answered<never>, { ok: false }>['refusal'];

function errorOf({ code, message, ...rest }: AnyRefusal): SkeinError {
  const known: ErrorCode = code;
  return new SkeinError(known, message, rest);
}
