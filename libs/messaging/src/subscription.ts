// One interest in a subject, held by the application. Ending it twice is harmless.

import type {
  Msg,
  NatsConnection,
  Subscription as NatsSubscription,
} from '@nats-io/transport-node';
import type { Logger } from './logger';

export interface Subscription {
  /** Ends at once: messages that have arrived but were not handled are dropped. */
  unsubscribe(): void;
  /** Ends after everything that the server has sent so far is handled. */
  drain(): Promise<void>;
}

/** A handler that throws would break the client's reader, so it is caught and logged here. */
export function subscribeGuarded(
  connection: NatsConnection,
  subject: string,
  handle: (message: Msg) => void,
  options: { readonly queue?: string | undefined; readonly logger: Logger },
): Subscription {
  const subscription: NatsSubscription = connection.subscribe(subject, {
    ...(options.queue === undefined ? {} : { queue: options.queue }),
    callback: (fault, message) => {
      if (fault !== null) {
        options.logger.error({ subject, error: fault.message }, 'subscription failed');
        return;
      }
      try {
        handle(message);
      } catch (thrown) {
        logHandlerFault(options.logger, message.subject, thrown);
      }
    },
  });
  return {
    unsubscribe: () => {
      if (!subscription.isClosed()) subscription.unsubscribe();
    },
    drain: async () => {
      if (subscription.isClosed() || connection.isClosed()) return;
      await subscription.drain();
    },
  };
}

export function logHandlerFault(logger: Logger, subject: string, thrown: unknown): void {
  const stack = thrown instanceof Error ? thrown.stack : String(thrown);
  logger.error({ subject, stack }, 'a message handler failed');
}
