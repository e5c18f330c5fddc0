// Who this host is to NATS: obtains its credential at the cluster's door, and a new one when half of its time is over. A token
// that is refused, or an identity that was ended, is told once; the agent goes on asking, for an operator to put a new token.

import { SkeinError } from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import { elapsed, type Time } from '@skein/time';

export interface Credential {
  readonly jwt: string;
  readonly ttlMs: number;
}

/** The door: a connection of its own, with a credential that everybody may have. */
export interface Door {
  join(token: string): Promise<Credential>;
  renew(): Promise<Credential>;
}

export interface KeptIdentity {
  readonly credential: string | undefined;
  readonly joinToken: string | undefined;
  keepCredential(jwt: string): void;
}

export interface HostIdentityOptions {
  readonly door: Door;
  readonly kept: KeptIdentity;
  /** From the environment; a token in the folder comes after it. */
  readonly joinToken: string | undefined;
  readonly time: Time;
  readonly logger: Logger;
}

const retryMs = 500;
/** With a credential at hand, a registry that does not answer is not waited for. */
const fallBackAfter = 2;

export class HostIdentity {
  readonly #options: HostIdentityOptions;
  #jwt = '';
  #ttlMs = 0;
  #told = '';

  constructor(options: HostIdentityOptions) {
    this.#options = options;
  }

  /** The newest credential. */
  readonly jwt = (): string => this.#jwt;

  /** Resolves when there is a credential that is worth a try. */
  async obtain(): Promise<void> {
    const { kept, time } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#ask();
      if (outcome === 'given') return;
      if (outcome === 'unanswered' && kept.credential !== undefined && attempt >= fallBackAfter) {
        this.#jwt = kept.credential;
        return;
      }
      await elapsed(time, retryMs);
    }
  }

  /** Renews until it is ended; calls back after each new credential. */
  attend(renewed: () => void): () => void {
    const { time } = this.#options;
    let cancel: () => void;
    const later = (ms: number): void => {
      cancel = time.after(ms, () => {
        void this.#ask().then((outcome) => {
          if (ended) return;
          if (outcome === 'given') renewed();
          later(outcome === 'given' ? this.#ttlMs / 2 : retryMs);
        });
      });
    };
    let ended = false;
    later(this.#ttlMs / 2);
    return () => {
      ended = true;
      cancel();
    };
  }

  async #ask(): Promise<'given' | 'refused' | 'unanswered'> {
    const { kept } = this.#options;
    try {
      const { jwt, ttlMs } = await this.#renewOrJoin();
      if (jwt !== kept.credential) kept.keepCredential(jwt);
      this.#jwt = jwt;
      this.#ttlMs = ttlMs;
      this.#told = '';
      return 'given';
    } catch (thrown) {
      const error = SkeinError.from(thrown);
      this.#tell(error);
      return error.retryable ? 'unanswered' : 'refused';
    }
  }

  async #renewOrJoin(): Promise<Credential> {
    const { door, kept, joinToken } = this.#options;
    try {
      return await door.renew();
    } catch (thrown) {
      if (SkeinError.from(thrown).code !== 'host_not_joined') throw thrown;
      const tokens = [joinToken, kept.joinToken].filter((each) => each !== undefined);
      let refusal: unknown = thrown;
      for (const token of tokens) {
        try {
          return await door.join(token);
        } catch (refused) {
          refusal = refused;
        }
      }
      throw refusal;
    }
  }

  /** Each fault once, however often it comes again. */
  #tell({ code, message, facts, retryable }: SkeinError): void {
    if (this.#told === code) return;
    this.#told = code;
    const { logger } = this.#options;
    if (retryable) logger.info({ code, reason: message }, 'waiting for a credential');
    else logger.error({ ...facts, code, reason: message }, 'no credential for this host');
  }
}
