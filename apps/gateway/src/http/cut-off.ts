// Letting go of a reader that does not keep up. It is told why in the last event of its stream, behind what it has not read yet;
// that event has no id, so that it resumes exactly after the last one that it has seen.

import type { ServerResponse } from 'node:http';
import { SkeinError } from '@skein/contracts';
import { toProblem } from './problem';

const reason = new SkeinError(
  'overloaded',
  'You read more slowly than things happen: go on with Last-Event-ID',
);

/** What is not read within `graceMs` is thrown away with the connection. */
export function cutOff(response: ServerResponse, graceMs: number): void {
  response.end(`event: cutoff\ndata: ${JSON.stringify(toProblem(reason))}\n\n`);
  const timer = setTimeout(() => response.destroy(), graceMs);
  response.once('close', () => clearTimeout(timer));
}
