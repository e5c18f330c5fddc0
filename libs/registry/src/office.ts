// Who of the replicas is the active one: takes the activation when nobody has it, is on duty as long as it holds, and tries
// again after it was lost. Knows nothing of what the duty is.

import { keys, SkeinError, type Compare, type KeyValue } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import { Activation, type Store } from '@skein/store-client';
import type { Time } from '@skein/time';

export interface OfficeOptions {
  readonly store: Store;
  readonly time: Time;
  readonly replicaId: string;
  readonly ttlMs: number;
  readonly logger: Logger;
  /** Begins the duty; what it answers ends it. `isInOffice` is false as soon as another may hold the office. */
  readonly openDuty: (
    fence: () => Compare,
    isInOffice: () => boolean,
  ) => Promise<{ close(): Promise<void> }>;
}

const kind = 'registry';
const id = 'main';
/** Between looks at an office that another holds. */
const pollMs = 300;

export class Office {
  readonly #options: OfficeOptions;
  #stopped = false;
  #holding: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(options: OfficeOptions) {
    this.#options = options;
  }

  start(): void {
    this.#holding = this.#run();
  }

  /** Ends the duty in order and leaves the office to others. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#holding;
  }

  async #run(): Promise<void> {
    const { logger } = this.#options;
    while (!this.#stopped) {
      try {
        const isHeld = await this.#holdIfFree();
        if (!isHeld) await this.#pause(pollMs);
      } catch (thrown) {
        logger.warn({ error: String(thrown) }, 'the activation could not be taken');
        await this.#pause(pollMs);
      }
    }
  }

  /** False if another replica holds the office; true after having held it. */
  async #holdIfFree(): Promise<boolean> {
    const { store, time, replicaId, ttlMs, logger } = this.#options;
    const held = await store.get(keys.actor(kind, id));
    if (held !== undefined && !(await this.#endOwnPast(held))) return false;
    let lost = false;
    const onLost = (reason: string): void => {
      lost = true;
      logger.warn({ reason }, 'activation lost');
      this.#wake?.();
    };
    const activation = await Activation.take({
      store,
      time,
      kind,
      id,
      replica: replicaId,
      ttlMs,
      onLost,
    });
    if (!(activation instanceof Activation)) return false;
    logger.info({ fencing: activation.fencing }, 'active');
    const duty = await this.#options.openDuty(
      () => activation.fence(),
      () => activation.isActive,
    );
    while (!lost && !this.#stopped) await this.#pause(undefined);
    await duty.close();
    await activation.release().catch((thrown: unknown) => {
      logger.warn({ error: String(thrown) }, 'the activation could not be released');
    });
    return true;
  }

  /** An earlier process of this very replica is gone: its activation need not run out first. */
  async #endOwnPast(held: KeyValue): Promise<boolean> {
    const { store, replicaId } = this.#options;
    if (held.lease === undefined || replicaOf(held.value) !== replicaId) return false;
    await store.revokeLease(held.lease).catch((thrown: unknown) => {
      if (SkeinError.from(thrown).code !== 'lease_not_found') throw thrown;
    });
    return true;
  }

  /** Until woken, and no longer than `ms` if given. */
  #pause(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const cancel =
        ms === undefined ? undefined : this.#options.time.after(ms, () => this.#wake?.());
      this.#wake = () => {
        cancel?.();
        this.#wake = undefined;
        resolve();
      };
      if (this.#stopped) this.#wake();
    });
  }
}

function replicaOf(value: string): string | undefined {
  try {
    return String((JSON.parse(value) as { replica?: unknown }).replica);
  } catch {
    return undefined;
  }
}
