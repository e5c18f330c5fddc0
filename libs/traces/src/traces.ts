// What following requests takes, and what it gives. Knows no library.

import type { Tracing } from '@skein/messaging';

export interface TracesOptions {
  /** Name that the service goes by, unless the environment says otherwise: `skein-gateway`. */
  readonly serviceName: string;
  /** Wins over what the environment's resource attributes say. */
  readonly givenName?: string | undefined;
  readonly version: string;
  /** Which replica, or host, it is. */
  readonly instance?: string | undefined;
  /** Where traces are sent: `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  /** Told when sending fails after it had worked, and the other way round. */
  readonly onFault: (fault: string | undefined) => void;
}

export interface Traces extends Tracing {
  /** Sends what is left, for as long as that is worth waiting for. */
  close(): Promise<void>;
}
