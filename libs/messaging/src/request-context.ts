// What a handler is told about the request besides its body.

import type { Deadline } from './deadline';

export interface RequestContext {
  /** Travels along with every request that is made on behalf of this one; found in the logs of all services. */
  readonly requestId: string;
  readonly deadline: Deadline;
  readonly subject: string;
}
