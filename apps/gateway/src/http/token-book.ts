// The tokens that were made at run time. The store keeps them; this follows it, so that nobody waits for the store to be known, and
// what is revoked here is refused everywhere as soon as the watches have told. It keeps digests, never secrets.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  accessRecordSchema,
  accessUseSchema,
  keys,
  SkeinError,
  type AccessRecord,
  type AccessRequest,
  type AccessView,
  type KeyValue,
} from '@skein/contracts';
import type { Store, Watch } from '@skein/store-client';
import type { Caller } from './tokens';

export const maxStoredTokens = 1_000;
/** A use is written down once this much time has passed since the last one that was. */
const useGrainMs = 600_000;
const flushMs = 30_000;
/** Until a token that was just made or revoked is known here as well. */
const followMs = 2_000;
const retryMs = 500;
const tokenPattern = /^skein-([a-z0-9]{8})-([A-Za-z0-9_-]{43})$/;

export interface TokenBookParts {
  readonly store: Pick<Store, 'get' | 'range' | 'txn' | 'watch'>;
  readonly now?: () => number;
  readonly warn: (facts: object, message: string) => void;
}

export class TokenBook {
  readonly #parts: TokenBookParts;
  readonly #now: () => number;
  readonly #records = new Map<string, AccessRecord>();
  /** Uses that are not written down yet, and those that are, by id. */
  readonly #used = new Map<string, number>();
  readonly #written = new Map<string, number>();
  #revision: number | undefined;
  #watch: Watch | undefined;
  #flush: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;
  #wake: (() => void)[] = [];

  constructor(parts: TokenBookParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  /** Reads what there is and follows what comes; while the store does not answer it tries again by itself. */
  start(): void {
    this.#flush = setInterval(() => void this.flush(), flushMs);
    this.#flush.unref();
    void this.#load();
  }

  close(): void {
    this.#isClosed = true;
    this.#watch?.close();
    clearInterval(this.#flush);
    clearTimeout(this.#retry);
  }

  /** Whether this looks like one of ours at all. */
  isOurs(token: string): boolean {
    return tokenPattern.test(token);
  }

  /** Throws `unauthenticated`, or `unavailable` while nobody can tell. */
  find(token: string): Caller {
    const id = tokenPattern.exec(token)?.[1] ?? '';
    if (this.#revision === undefined) {
      throw new SkeinError('unavailable', 'The tokens are not read yet: the store does not answer');
    }
    const record = this.#records.get(id);
    const known = Buffer.from(record?.digest ?? '0'.repeat(64), 'hex');
    if (!timingSafeEqual(known, sha256(token)) || record === undefined) {
      throw new SkeinError('unauthenticated', 'The token is not known');
    }
    if (this.#isExpired(record)) {
      throw new SkeinError('unauthenticated', 'The token has expired', {
        facts: { expiresAt: record.expiresAt },
      });
    }
    this.#used.set(id, this.#now());
    const { name, role, requestsPerSecond, maxBodyBytes } = record;
    return { id, name, role, requestsPerSecond, maxBodyBytes };
  }

  /** The token's text is in this answer and nowhere else. */
  async create(
    { ttlMs, ...rest }: AccessRequest,
    by: { readonly name: string; readonly requestId: string },
  ): Promise<AccessView & { token: string; revision: number }> {
    if (this.#records.size >= maxStoredTokens) throw tooMany();
    const now = this.#now();
    const id = randomId();
    const token = `skein-${id}-${randomBytes(32).toString('base64url')}`;
    const record: AccessRecord = {
      ...rest,
      id,
      digest: sha256(token).toString('hex'),
      created: { request: by.requestId, at: now },
      by: by.name,
      ...(ttlMs === undefined ? {} : { expiresAt: now + ttlMs }),
    };
    const key = keys.accessToken(id);
    const { revision } = await this.#parts.store.txn({
      compare: [{ key, target: 'version', operator: '=', value: 0 }],
      success: [{ type: 'put', key, value: JSON.stringify(record) }],
      failure: [],
    });
    await this.#reached(revision);
    return { ...this.#view(record, undefined), token, revision };
  }

  async list(): Promise<{ tokens: AccessView[]; revision: number }> {
    const { store } = this.#parts;
    const span = { prefix: true, limit: maxStoredTokens };
    const { kvs, revision } = await store.range({ key: keys.accessTokens, ...span });
    const uses = await store.range({ key: keys.accessUses, ...span });
    const usedAt = new Map(
      uses.kvs.map((kv) => [
        kv.key.slice(keys.accessUses.length),
        accessUseSchema.parse(JSON.parse(kv.value)).at,
      ]),
    );
    const tokens = kvs.map(recordOf).map((record) => this.#view(record, usedAt.get(record.id)));
    return { tokens, revision };
  }

  /** Throws `token_not_found`. */
  async revoke(id: string): Promise<{ revision: number }> {
    const key = keys.accessToken(id);
    const { succeeded, revision } = await this.#parts.store.txn({
      compare: [{ key, target: 'version', operator: '>', value: 0 }],
      success: [
        { type: 'delete', key },
        { type: 'delete', key: keys.accessUse(id) },
      ],
      failure: [],
    });
    if (!succeeded) {
      const facts = { token: id };
      throw new SkeinError('token_not_found', `There is no token '${id}'`, {
        field: 'token',
        facts,
      });
    }
    // Refused here from now on, whatever the watch says when.
    this.#records.delete(id);
    await this.#reached(revision);
    return { revision };
  }

  /** Writes down which tokens were used. Best effort: only when somebody looks does it matter. */
  async flush(): Promise<void> {
    const due = [...this.#used].filter(
      ([id, at]) => at - (this.#written.get(id) ?? -useGrainMs) >= useGrainMs,
    );
    for (const [id, at] of due) {
      const key = keys.accessToken(id);
      const put = { type: 'put' as const, key: keys.accessUse(id), value: JSON.stringify({ at }) };
      const compare = [{ key, target: 'version' as const, operator: '>' as const, value: 0 }];
      try {
        await this.#parts.store.txn({ compare, success: [put], failure: [] });
        this.#written.set(id, at);
      } catch (thrown) {
        this.#parts.warn({ code: SkeinError.from(thrown).code }, 'use of a token not written down');
        return;
      }
    }
  }

  async #load(): Promise<void> {
    try {
      const span = { key: keys.accessTokens, prefix: true, limit: maxStoredTokens };
      const { kvs, revision } = await this.#parts.store.range(span);
      if (this.#isClosed) return;
      this.#records.clear();
      for (const kv of kvs) this.#put(kv);
      this.#advance(revision);
      this.#follow(revision + 1);
    } catch (thrown) {
      if (this.#isClosed) return;
      this.#parts.warn({ code: SkeinError.from(thrown).code }, 'tokens are not read yet');
      this.#retry = setTimeout(() => void this.#load(), retryMs);
    }
  }

  #follow(fromRevision: number): void {
    this.#watch = this.#parts.store.watch({
      prefix: keys.accessTokens,
      fromRevision,
      onEvents: (revisions) => {
        for (const { revision, events } of revisions) {
          for (const { type, kv } of events) {
            if (type === 'put') this.#put(kv);
            else this.#records.delete(kv.key.slice(keys.accessTokens.length));
          }
          this.#advance(revision);
        }
      },
      onProgress: (revision) => this.#advance(revision),
      onCompacted: () => void this.#load(),
    });
  }

  #put(kv: KeyValue): void {
    try {
      const record = recordOf(kv);
      this.#records.set(record.id, record);
    } catch (thrown) {
      this.#parts.warn({ key: kv.key, error: String(thrown) }, 'a token is malformed');
    }
  }

  #advance(revision: number): void {
    this.#revision = Math.max(this.#revision ?? 0, revision);
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** What was committed is known here as well, unless that takes too long. */
  async #reached(revision: number): Promise<void> {
    const until = this.#now() + followMs;
    while ((this.#revision ?? 0) < revision && this.#now() < until) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, followMs);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #isExpired({ expiresAt }: AccessRecord): boolean {
    return expiresAt !== undefined && expiresAt <= this.#now();
  }

  #view(record: AccessRecord, lastUsedAt: number | undefined): AccessView {
    const { digest: _, ...rest } = record;
    return {
      ...rest,
      state: this.#isExpired(record) ? 'expired' : 'usable',
      ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
    };
  }
}

function recordOf(kv: KeyValue): AccessRecord {
  return accessRecordSchema.parse(JSON.parse(kv.value));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function randomId(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567';
  return [...randomBytes(8)].map((byte) => letters[byte % letters.length]).join('');
}

function tooMany(): SkeinError {
  return new SkeinError('tokens_exhausted', `There are ${maxStoredTokens} tokens already`, {
    facts: { limit: maxStoredTokens },
  });
}
