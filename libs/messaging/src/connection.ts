// Opens the connection and says how it fares. Retries the first connect until its time is up, and reconnects for ever.

import { connect, errors, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { SkeinError } from '@skein/contracts';
import { Deadline } from './deadline';
import type { Logger } from './logger';
import {
  defaultConnectTimeoutMs,
  pingIntervalMs,
  reconnectWaitMs,
  type NatsSettings,
} from './settings';

export async function openConnection(
  settings: NatsSettings,
  logger: Logger,
): Promise<NatsConnection> {
  const timeoutMs = settings.connectTimeoutMs ?? defaultConnectTimeoutMs;
  const deadline = Deadline.after(timeoutMs);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connect(connectOptions(settings, deadline));
    } catch (cause) {
      if (isRefusal(cause)) {
        throw new SkeinError('unauthenticated', 'NATS refuses the user, password or credentials', {
          cause,
        });
      }
      if (deadline.expired) {
        const facts = { servers: settings.servers, timeoutMs };
        throw new SkeinError('unavailable', 'NATS does not answer', { facts, cause });
      }
      if (attempt === 1) logger.info({ servers: settings.servers }, 'waiting for NATS');
      await pause(jitter(reconnectWaitMs));
    }
  }
}

/** A busy server closes a connection whose credentials it had no time to read: that refuses nobody. */
export function isRefusal(cause: unknown): boolean {
  return cause instanceof errors.AuthorizationError && !/timeout/i.test(cause.message);
}

function connectOptions(settings: NatsSettings, deadline: Deadline): Parameters<typeof connect>[0] {
  const { credentials, caFile } = settings;
  return {
    servers: [...settings.servers],
    name: settings.name,
    ...(settings.user === undefined ? {} : { user: settings.user, pass: settings.password ?? '' }),
    ...(credentials === undefined
      ? {}
      : { authenticator: jwtAuthenticator(credentials.jwt, credentials.seed) }),
    ...(caFile === undefined ? {} : { tls: { caFile } }),
    ...(settings.inboxPrefix === undefined ? {} : { inboxPrefix: settings.inboxPrefix }),
    timeout: Math.max(100, Math.min(5_000, deadline.remainingMs())),
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    ignoreClusterUpdates: true,
    reconnectDelayHandler: () => jitter(reconnectWaitMs),
    pingInterval: pingIntervalMs,
    maxPingOut: 2,
    noAsyncTraces: true,
  };
}

export type ConnectionStatus = 'connected' | 'disconnected' | 'closed';

/** Calls back at each change, until the connection has closed. */
export async function followStatus(
  connection: NatsConnection,
  logger: Logger,
  changed: (status: ConnectionStatus) => void,
): Promise<void> {
  let told = '';
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') {
      logger.warn({ server: status.server }, 'NATS connection lost');
      changed('disconnected');
    } else if (status.type === 'reconnect') {
      logger.info({ server: status.server }, 'NATS connection restored');
      told = '';
      changed('connected');
    } else if (status.type === 'error' && status.error.message !== told) {
      // One that comes back with every attempt to reconnect is told once.
      told = status.error.message;
      logger.error({ error: told }, 'NATS reports an error');
    }
  }
  changed('closed');
}

export function jitter(range: { readonly from: number; readonly to: number }): number {
  return range.from + Math.random() * (range.to - range.from);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
