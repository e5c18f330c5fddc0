// What a handler is told about the request besides its body.

import type { Deadline } from './deadline';
import type { Tracing } from './tracing';

export interface RequestContext {
  /** Travels along with every request that is made on behalf of this one; found in the logs of all services. */
  readonly requestId: string;
  /** Ids of further requests that came in the same message. */
  readonly alsoFor?: readonly string[] | undefined;
  readonly deadline: Deadline;
  readonly subject: string;
  /** Present where requests are followed. */
  readonly tracing?: Tracing | undefined;
}
