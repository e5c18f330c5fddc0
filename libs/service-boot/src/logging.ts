// JSON lines on standard output: a constant message, facts as fields. Nest's own messages go the same way, one level down.

import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';

export type ServiceLogger = Logger;

/** Writes synchronously, so that the last line before a crash is not lost; goes on when nobody reads any more. */
export function createLogger(service: string, level: string): ServiceLogger {
  const destination = pino.destination({ fd: 1, sync: true });
  destination.on('error', () => undefined);
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

export function nestLogger(logger: ServiceLogger): LoggerService {
  const facts = (rest: readonly unknown[]): object => ({
    context: rest.at(-1),
    detail: rest.slice(0, -1),
  });
  const text = (message: unknown): string =>
    message instanceof Error ? (message.stack ?? message.message) : String(message);
  return {
    log: (message, ...rest) => logger.debug({ nest: text(message), ...facts(rest) }, 'nest'),
    debug: (message, ...rest) => logger.trace({ nest: text(message), ...facts(rest) }, 'nest'),
    verbose: (message, ...rest) => logger.trace({ nest: text(message), ...facts(rest) }, 'nest'),
    warn: (message, ...rest) => logger.warn({ nest: text(message), ...facts(rest) }, 'nest warns'),
    error: (message, ...rest) =>
      logger.error({ nest: text(message), ...facts(rest) }, 'nest fails'),
    fatal: (message, ...rest) =>
      logger.error({ nest: text(message), ...facts(rest) }, 'nest fails'),
  };
}
