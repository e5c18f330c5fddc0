// What a connection needs to know, and its limits.

import type { NatsCredentials } from './credentials';

export interface NatsSettings {
  /** Addresses as `nats://host:port` or `host:port`. */
  readonly servers: readonly string[];
  /** Name that the server's monitoring shows. */
  readonly name: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** In place of user and password. */
  readonly credentials?: NatsCredentials | undefined;
  /** File with the certificates that sign the servers' own, in PEM: it then speaks TLS, and with nobody that does not. */
  readonly caFile?: string | undefined;
  /** Prefix of reply subjects; a user with narrow permissions has one of its own. */
  readonly inboxPrefix?: string | undefined;
  /** How long the first connect is retried. */
  readonly connectTimeoutMs?: number | undefined;
  /** Debugging: check replies and events against their schemas before they are sent. */
  readonly checkReplies?: boolean | undefined;
}

export const defaultConnectTimeoutMs = 30_000;
/** Waits between attempts to connect or reconnect. */
export const reconnectWaitMs = { from: 50, to: 250 } as const;
/** An idle connection is probed so often; two lost probes end it. */
export const pingIntervalMs = 5_000;
/** Waits between attempts of a request that finds nobody. */
export const retryWaitMs = { from: 10, to: 250 } as const;
