// How a service ends: in order on a signal or when its parent is gone, at once on a fault that nobody handled. What it
// does on stopping is given to it.

import type { ServiceLogger } from './logging';

/** An orderly stop that takes longer ends with exit code 1. */
export const stopLimitMs = 5_000;

export interface StopOptions {
  readonly logger: ServiceLogger;
  readonly stop: () => Promise<void>;
  readonly exitWithParent: boolean;
}

export function stopOnSignals({ logger, stop, exitWithParent }: StopOptions): void {
  let stopping = false;
  const begin = (reason: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, 'stopping');
    setTimeout(() => {
      logger.error({ limitMs: stopLimitMs }, 'stopping took too long');
      process.exit(1);
    }, stopLimitMs).unref();
    stop().then(
      () => {
        logger.info('stopped');
        process.exit(0);
      },
      (thrown: unknown) => {
        logger.error({ err: thrown }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => begin('SIGTERM'));
  process.on('SIGINT', () => begin('SIGINT'));
  if (exitWithParent) {
    process.on('disconnect', () => begin('parent gone'));
    if (process.send !== undefined && !process.connected) begin('parent gone');
  } else {
    process.channel?.unref();
  }
}

export function crashOnUnhandled(logger: ServiceLogger): void {
  const crash = (kind: string) => (thrown: unknown) => {
    logger.fatal({ err: thrown, kind }, 'unhandled fault');
    process.exit(1);
  };
  process.on('uncaughtException', crash('exception'));
  process.on('unhandledRejection', crash('rejection'));
}
