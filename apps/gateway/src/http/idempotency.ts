// `Idempotency-Key`: the same key and request are carried out once, and answered again from the store. The key is claimed
// before the request runs and settled after it. What was refused had no effect, so its key is given back; a request whose
// outcome nobody knows keeps its claim, so that it is never carried out twice. What an attach makes is committed together with
// its key, by the registry: there nothing is claimed, and nothing is left open by whoever dies in between.

import { createHash, randomUUID } from 'node:crypto';
import {
  grantLeaseContract,
  idempotencyRecordSchema,
  keys,
  rangeContract,
  SkeinError,
  transactionContract,
  type IdempotencyRecord,
  type RequestKey,
} from '@skein/contracts';
import type { Messenger } from '@skein/messaging';
import type { StoredAnswer } from './router';

export const keepMs = 24 * 3_600_000;
const hourMs = 3_600_000;

/** How long a repetition waits for the first request to be answered. */
const waitForFirstMs = 10_000;
const pollMs = 100;
/** A claim that is older belongs to a request whose gateway has gone. */
const claimLimitMs = 60_000;

export interface KeyedRequest {
  readonly key: string;
  readonly caller: string;
  readonly requestId: string;
  /** Text that is the same exactly for the same request. */
  readonly fingerprint: string;
}

export class Idempotency {
  readonly #messenger: Pick<Messenger, 'request'>;
  readonly #now: () => number;
  /** The lease that was last made sure of. */
  #granted: { readonly lease: string; readonly done: Promise<void> } | undefined;

  constructor(messenger: Pick<Messenger, 'request'>, now: () => number = Date.now) {
    this.#messenger = messenger;
    this.#now = now;
  }

  /** For what is committed together with its key: `attempt` refuses a repetition nothing, and gives it what there is. */
  async committing<Result>(
    request: KeyedRequest,
    attempt: (once: RequestKey) => Promise<Result>,
  ): Promise<Result> {
    const lease = leaseName(this.#now());
    const once = { key: keyOf(request), request: digest(request.fingerprint), lease };
    const { requestId } = request;
    if (this.#granted?.lease !== lease) {
      this.#granted = { lease, done: this.#grant(lease, requestId) };
    }
    try {
      await this.#granted.done;
    } catch (thrown) {
      this.#granted = undefined;
      throw thrown;
    }
    try {
      return await attempt(once);
    } catch (thrown) {
      if (SkeinError.from(thrown).code !== 'lease_not_found') throw thrown;
      await this.#grant(lease, requestId);
      return attempt(once);
    }
  }

  async once(
    request: KeyedRequest,
    answer: () => Promise<StoredAnswer>,
  ): Promise<{ stored: StoredAnswer; replayed: boolean }> {
    const claim = {
      key: keys.idempotency(keyOf(request)),
      hash: digest(request.fingerprint),
      owner: randomUUID(),
      requestId: request.requestId,
      at: this.#now(),
    };
    let earlier: StoredAnswer | undefined;
    try {
      earlier = await this.#claim(claim);
    } catch (thrown) {
      // A full store still takes deletes, and must not need room for them. What it refuses with a key, it refuses without.
      if (SkeinError.from(thrown).code !== 'no_space') throw thrown;
      return { stored: await answer(), replayed: false };
    }
    if (earlier !== undefined) return { stored: earlier, replayed: true };
    return { stored: await this.#carryOut(claim, answer), replayed: false };
  }

  async #carryOut(claim: Claim, answer: () => Promise<StoredAnswer>): Promise<StoredAnswer> {
    let made: StoredAnswer;
    try {
      made = await answer();
    } catch (thrown) {
      if (hadNoEffect(thrown)) await this.#settle(claim, undefined);
      throw thrown;
    }
    await this.#settle(claim, made);
    return made;
  }

  /** The answer that an earlier request with this key got, or undefined if this one is to be carried out. */
  async #claim(claim: Claim): Promise<StoredAnswer | undefined> {
    const until = claim.at + waitForFirstMs;
    for (;;) {
      const found = await this.#write(claim, 'absent', claimedRecord(claim));
      if (found === undefined) return undefined;
      if (found.request !== claim.hash) {
        throw new SkeinError(
          'idempotency_key_reused',
          'This Idempotency-Key was used for another request',
          { field: 'Idempotency-Key' },
        );
      }
      if (found.state === 'answered') return found.answer;
      // Its fingerprint names the route: no other request has it.
      if (found.state === 'attached') throw unknownOutcome();
      if (found.owner === claim.owner) return undefined;
      if (this.#now() - found.at > claimLimitMs) throw unknownOutcome();
      if (this.#now() >= until) throw stillRunning();
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  /** Best effort: if it fails the claim stays, and a repetition is told that the outcome is not known. */
  async #settle(claim: Claim, answer: StoredAnswer | undefined): Promise<void> {
    const record: IdempotencyRecord | undefined = answer && {
      state: 'answered',
      request: claim.hash,
      answer,
    };
    await this.#write(claim, 'claimed', record).catch(() => undefined);
  }

  /** Writes (or with no record deletes) if the key is as expected; answers what is there instead otherwise. */
  async #write(
    claim: Claim,
    expected: 'absent' | 'claimed',
    record: IdempotencyRecord | undefined,
  ): Promise<IdempotencyRecord | undefined> {
    const { key, requestId } = claim;
    const lease = leaseName(claim.at);
    const txn = () =>
      this.#messenger.request(
        transactionContract,
        {
          compare: [
            expected === 'absent'
              ? { key, target: 'version', operator: '=', value: 0 }
              : {
                  key,
                  target: 'value',
                  operator: '=',
                  value: JSON.stringify(claimedRecord(claim)),
                },
          ],
          success: [
            record === undefined
              ? { type: 'delete', key }
              : { type: 'put', key, value: JSON.stringify(record), lease },
          ],
          failure: [{ type: 'range', key }],
        },
        { requestId, retryUnavailable: true },
      );
    const reply = await txn().catch(async (thrown: unknown) => {
      const { code } = SkeinError.from(thrown);
      // Repeating is safe: the claim's owner is in its value, so that a claim of our own is known again.
      if (code !== 'lease_not_found' && code !== 'unknown_outcome') throw thrown;
      if (code === 'lease_not_found') await this.#grant(lease, requestId);
      return txn();
    });
    if (reply.succeeded) return undefined;
    const result = reply.results[0];
    const kv = result?.type === 'range' ? result.kvs[0] : undefined;
    return kv === undefined
      ? this.#read(key, requestId)
      : idempotencyRecordSchema.parse(JSON.parse(kv.value));
  }

  async #read(key: string, requestId: string): Promise<IdempotencyRecord | undefined> {
    const { kvs } = await this.#messenger.request(rangeContract, { key }, { requestId });
    return kvs[0] && idempotencyRecordSchema.parse(JSON.parse(kvs[0].value));
  }

  /** One lease an hour holds the keys of that hour. That another gateway was faster is no fault; a full store is. */
  async #grant(lease: string, requestId: string): Promise<void> {
    await this.#messenger
      .request(grantLeaseContract, { ttlMs: keepMs + hourMs, lease }, { requestId })
      .catch((thrown: unknown) => {
        if (SkeinError.from(thrown).code === 'no_space') throw thrown;
      });
  }
}

interface Claim {
  readonly key: string;
  readonly hash: string;
  readonly owner: string;
  readonly requestId: string;
  readonly at: number;
}

function claimedRecord({ hash, owner, at }: Claim): IdempotencyRecord {
  return { state: 'claimed', request: hash, owner, at };
}

export function leaseName(at: number): string {
  return `idempotency-${Math.floor(at / hourMs)}`;
}

/** `internal` may have come after the effect. */
function hadNoEffect(thrown: unknown): boolean {
  const { code } = SkeinError.from(thrown);
  return code !== 'unknown_outcome' && code !== 'internal';
}

function unknownOutcome(): SkeinError {
  return new SkeinError(
    'unknown_outcome',
    'The first request with this key was never answered: look whether it took effect',
    { field: 'Idempotency-Key' },
  );
}

function stillRunning(): SkeinError {
  return new SkeinError(
    'deadline_exceeded',
    'The first request with this key is still being worked on',
    { field: 'Idempotency-Key' },
  );
}

function keyOf({ caller, key }: KeyedRequest): string {
  return digest(`${caller}\n${key}`);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
