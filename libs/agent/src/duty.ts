// Reports this host to the registry: registers until that works, then says at each beat that it lives, what it has programmed
// and what its gossip thinks. Registers again when it is told to.

import {
  heartbeatContract,
  registerHostContract,
  SkeinError,
  type ReplyOf,
  type RequestOf,
} from '@skein/contracts';
import type { Logger, Messenger } from '@skein/messaging';
import type { Time } from '@skein/time';
import type { Moment } from './lease';

export interface DutyOptions {
  readonly messenger: Pick<Messenger, 'request'>;
  readonly time: Pick<Time, 'after' | 'monotonicMs' | 'wallMs'>;
  readonly logger: Logger;
  readonly registration: () => RequestOf<typeof registerHostContract>;
  readonly heartbeat: () => RequestOf<typeof heartbeatContract>;
  readonly onRegistered: (reply: ReplyOf<typeof registerHostContract>) => void;
  /** The registry answered a heartbeat that was sent at this moment with a lease. */
  readonly onLease?: ((sentAt: Moment, leaseMs: number) => void) | undefined;
  /** Other networks than the heartbeat knew are for this host now. */
  readonly onEnrolment?: (() => void) | undefined;
  /** This boot of this host may not come back: what it held is no longer its own. Called at each such refusal. */
  readonly onDismissed?: ((refusal: SkeinError) => void) | undefined;
}

const dismissals: ReadonlySet<string> = new Set(['host_removed', 'boot_replaced']);

export const heartbeatMs = 500;
const firstRetryMs = 200;
const longestRetryMs = 3_000;
const registrationTimeoutMs = 3_000;
/** Short: a registry that stands still must not cost the lease that its successor would renew. */
const heartbeatTimeoutMs = 1_000;
/** Between questions whether an operator has let this host in again. */
const dismissedRetryMs = 5_000;

export class Duty {
  readonly #options: DutyOptions;
  #cancel: (() => void) | undefined;
  #isStopped = false;
  #isRegistered = false;
  #wasDismissed = false;
  #retryMs = firstRetryMs;

  constructor(options: DutyOptions) {
    this.#options = options;
  }

  start(): void {
    this.#after(0);
  }

  /** What is registered has changed: tells it at the next beat. */
  renew(): void {
    this.#isRegistered = false;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #after(delayMs: number): void {
    if (this.#isStopped) return;
    this.#cancel = this.#options.time.after(delayMs, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    try {
      if (this.#isRegistered) await this.#heartbeat();
      else await this.#register();
      this.#retryMs = firstRetryMs;
      this.#after(this.#isRegistered ? heartbeatMs : 0);
    } catch (thrown) {
      const refusal = SkeinError.from(thrown);
      if (dismissals.has(refusal.code)) {
        this.#dismissed(refusal);
        return;
      }
      const { code, message } = refusal;
      this.#options.logger.warn({ code, fault: message }, 'the registry was not reached');
      this.#after(this.#isRegistered ? heartbeatMs : this.#retryMs);
      this.#retryMs = Math.min(longestRetryMs, this.#retryMs * 2);
    }
  }

  #dismissed(refusal: SkeinError): void {
    const { logger, onDismissed } = this.#options;
    this.#isRegistered = false;
    if (!this.#wasDismissed) {
      const { code, message: remedy } = refusal;
      logger.error({ code, remedy }, 'this host is not taken back: its endpoints are withdrawn');
    }
    this.#wasDismissed = true;
    if (!this.#isStopped) onDismissed?.(refusal);
    this.#after(dismissedRetryMs);
  }

  async #register(): Promise<void> {
    const { messenger, registration, onRegistered, logger } = this.#options;
    const reply = await messenger.request(registerHostContract, registration(), {
      timeoutMs: registrationTimeoutMs,
    });
    this.#isRegistered = true;
    this.#wasDismissed = false;
    logger.info({ revision: reply.revision, peers: reply.peers.length }, 'registered');
    if (!this.#isStopped) onRegistered(reply);
  }

  async #heartbeat(): Promise<void> {
    const { messenger, heartbeat, time, onLease, onEnrolment } = this.#options;
    const sentAt = { monotonicMs: time.monotonicMs(), wallMs: time.wallMs() };
    const reply = await messenger.request(heartbeatContract, heartbeat(), {
      timeoutMs: heartbeatTimeoutMs,
    });
    if (reply.isEnrolmentNew === true && !this.#isStopped) onEnrolment?.();
    if (reply.registerAgain) this.#isRegistered = false;
    else if (reply.leaseMs !== undefined && !this.#isStopped) onLease?.(sentAt, reply.leaseMs);
  }
}
