// Request bodies as JSON. An empty body is no body; a member that would reach an object's prototype is refused.

import { SkeinError } from '@skein/contracts';

export function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text, refusePrototype);
  } catch (cause) {
    if (cause instanceof SkeinError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SkeinError('malformed_json', `The body is not JSON: ${reason}`, { cause });
  }
}

function refusePrototype(key: string, value: unknown): unknown {
  if (key !== '__proto__') return value;
  throw new SkeinError('malformed_json', "The body has a member '__proto__'");
}
