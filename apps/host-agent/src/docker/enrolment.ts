// The networks that this host may attach to, as the registry last told them. Asks when it is told that they have changed, and when a
// call names one that is not known.

import { enrolmentContract, type EnrolledNetwork } from '@skein/contracts';
import type { KnownNetwork } from '@skein/docker-plugin';
import type { Logger, Messenger } from '@skein/messaging';

export interface EnrolmentOptions {
  readonly hostId: string;
  readonly messenger: Messenger;
  readonly logger: Logger;
  /** Networks that it takes part in, whatever it is enrolled for. */
  readonly taken: () => readonly KnownNetwork[];
  readonly onChange: () => void;
}

const askTimeoutMs = 3_000;

export class Enrolment {
  readonly #options: EnrolmentOptions;
  #networks: readonly EnrolledNetwork[] | null = null;
  #mark = '';
  #asking: Promise<void> | undefined;

  constructor(options: EnrolmentOptions) {
    this.#options = options;
  }

  /** What heartbeats tell the registry. */
  get mark(): string {
    return this.#mark;
  }

  /** Null before the first answer. */
  get networks(): readonly EnrolledNetwork[] | null {
    return this.#networks;
  }

  find(reference: string): KnownNetwork | undefined {
    const fits = ({ id, name }: KnownNetwork): boolean => id === reference || name === reference;
    return this.#networks?.find(fits) ?? this.#options.taken().find(fits);
  }

  /** One question at a time; rejects if the registry does not answer. */
  refresh(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** As `refresh`, without a hurry. */
  follow(): void {
    this.refresh().catch((thrown: unknown) => {
      this.#options.logger.warn({ fault: String(thrown) }, 'the enrolment could not be asked for');
    });
  }

  async #ask(): Promise<void> {
    const { hostId, messenger, onChange } = this.#options;
    const reply = await messenger.request(
      enrolmentContract,
      { host: hostId },
      { timeoutMs: askTimeoutMs },
    );
    this.#networks = reply.networks;
    this.#mark = reply.mark;
    onChange();
  }
}
