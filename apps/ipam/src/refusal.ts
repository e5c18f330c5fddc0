// From the core's refusals to the error that callers see.

import { SkeinError } from '@skein/contracts';
import type { Outcome, Refusal } from '@skein/ipam';

export function errorOf({ code, message, field, facts }: Refusal): SkeinError {
  return new SkeinError(code, message, {
    ...(field === undefined ? {} : { field }),
    ...(facts === undefined ? {} : { facts }),
  });
}

export function replyOrThrow<Reply>(outcome: Outcome<Reply>): Reply {
  if (outcome.ok) return outcome.reply;
  throw errorOf(outcome.refusal);
}
