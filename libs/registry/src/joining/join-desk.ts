// Where hosts come in: makes, lists and revokes join tokens, trades one for a host's identity, and signs credentials as long
// as the identity stands. A token is spent in the transaction that writes the identity, so that two can't spend one use.

import {
  hostIdentityRecordSchema,
  joinTokenRecordSchema,
  keys,
  SkeinError,
  type Compare,
  type HostIdentityRecord,
  type JoinTokenRecord,
  type KeyValue,
  type ParsedRequestOf,
  type ReplyOf,
  type createJoinTokenContract,
  type joinContract,
  type listJoinTokensContract,
  type renewCredentialContract,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import type { Time } from '@skein/time';
import type { Chance, Fence } from '../ports';
import { joinTokenText, joinTokenView, judgeJoin, parseJoinToken } from './join-rule';

/** What only the machine can do: randomness that nobody guesses, digests, signatures. */
export interface HostSigner {
  newSecret(): string;
  digest(secret: string): string;
  /** Throws `invalid_request` for a key that is none. */
  sign(host: { id: string; publicKey: string }): Promise<ReplyOf<typeof joinContract>>;
}

/** A token that is known from the start: how the hosts of a local cluster come in, and those of a Compose project. */
export interface StandingToken {
  readonly id: string;
  readonly digest: string;
  /** The only host that may use it, once, within a day; absent: `uses` hosts of any free id in a month, month after month. */
  readonly host?: string | undefined;
  readonly uses?: number | undefined;
  /** Engines of its hosts may make networks for the cluster. */
  readonly declares?: true | undefined;
}

export interface JoinDeskOptions {
  readonly store: Store;
  readonly fence: Fence;
  readonly time: Time;
  readonly chance: Chance;
  /** Absent: this cluster signs no hosts, and admits any. */
  readonly signer?: HostSigner | undefined;
  readonly standing?: readonly StandingToken[] | undefined;
}

const dayMs = 86_400_000;
/** A token that has ended is remembered for so long, to say how. */
const rememberMs = dayMs;
const rememberStandingMs = 30 * dayMs;
const tokenIdLength = 8;
const maxAttempts = 4;

interface Found<Record> {
  readonly record: Record;
  /** Revision to compare with; 0: the store does not have it. */
  readonly revision: number;
  readonly lease?: string | undefined;
}

export class JoinDesk {
  readonly #options: JoinDeskOptions;

  constructor(options: JoinDeskOptions) {
    this.#options = options;
  }

  async create(
    { host, ttlMs, uses, declares }: ParsedRequestOf<typeof createJoinTokenContract>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof createJoinTokenContract>> {
    const { chance, time, store, fence } = this.#options;
    const signer = this.#signer();
    if (host !== undefined && uses > 1) {
      throw new SkeinError('invalid_request', "Field 'uses': a token for one host has one use", {
        field: 'uses',
      });
    }
    const id = chance.id().slice(0, tokenIdLength);
    const secret = signer.newSecret();
    const now = time.wallMs();
    const record: JoinTokenRecord = {
      id,
      digest: signer.digest(secret),
      ...(host === undefined ? {} : { host }),
      uses,
      usesLeft: uses,
      expiresAt: now + ttlMs,
      ...(declares ? { declares } : {}),
      created: { request: context.requestId, at: now },
    };
    const lease = await this.#remember(id, ttlMs + rememberMs, context);
    const { succeeded, revision } = await store.txn(
      { compare: [fence(), equals(keys.joinToken(id), 0)], success: [putToken(record, lease)] },
      { context },
    );
    if (!succeeded) throw new SkeinError('fenced', 'Another replica has taken over');
    return { ...joinTokenView(record, now), token: joinTokenText(id, secret), revision };
  }

  async list(context: RequestContext): Promise<ReplyOf<typeof listJoinTokensContract>> {
    const { store, time } = this.#options;
    const span = { key: keys.joinTokens, prefix: true };
    const { kvs, revision } = await store.range(span, { context });
    const tokens = kvs
      .map(({ value }) => joinTokenView(tokenOf(value), time.wallMs()))
      .sort((one, other) => one.expiresAt - other.expiresAt);
    return { tokens, revision };
  }

  async revoke({ id }: { id: string }, context: RequestContext): Promise<{ revision: number }> {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const found = await this.#token(id, context);
      if (found === undefined) {
        throw new SkeinError('join_token_unknown', 'No join token has this id', { field: 'id' });
      }
      const record: JoinTokenRecord = { ...found.record, isRevoked: true };
      const { succeeded, revision } = await this.#options.store.txn(
        {
          compare: [this.#options.fence(), equals(keys.joinToken(id), found.revision)],
          success: [putToken(record, found.lease)],
        },
        { context },
      );
      if (succeeded) return { revision };
    }
    throw outdated();
  }

  async join(
    { token, host, publicKey }: ParsedRequestOf<typeof joinContract>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof joinContract>> {
    const signer = this.#signer();
    const { id, secret } = parseJoinToken(token);
    const request = { host, publicKey, digest: signer.digest(secret) };
    // A key that can't be signed must not cost a use.
    const credential = await signer.sign({ id: host, publicKey });
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const [found, identity] = await Promise.all([
        this.#token(id, context),
        this.#identity(host, context),
      ]);
      const now = this.#options.time.wallMs();
      const verdict = judgeJoin(request, found?.record, identity?.record, now);
      if (verdict === 'repeat' || found === undefined) return credential;
      const joined = { request: context.requestId, at: now };
      const rights = found.record.declares === true ? ({ declares: true } as const) : {};
      const made: HostIdentityRecord = { host, publicKey, joinToken: id, ...rights, joined };
      if (await this.#spend(found, { record: made, revision: identity?.revision ?? 0 }, context)) {
        return credential;
      }
    }
    throw outdated();
  }

  async renew(
    { host, publicKey }: ParsedRequestOf<typeof renewCredentialContract>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof renewCredentialContract>> {
    const signer = this.#signer();
    const identity = await this.#identity(host, context);
    if (identity?.record.publicKey !== publicKey) throw notJoined(host);
    return signer.sign({ id: host, publicKey });
  }

  /** What must hold when a host is registered: that it has an identity. Throws `host_not_joined`. */
  async admit(host: string, context: RequestContext): Promise<readonly Compare[]> {
    if (this.#options.signer === undefined) return [];
    const identity = await this.#identity(host, context);
    if (identity === undefined) throw notJoined(host);
    return [equals(keys.hostIdentity(host), identity.revision)];
  }

  /** Throws `forbidden` for a host whose token did not let its engine make networks. */
  async demandDeclares(host: string, context: RequestContext): Promise<void> {
    if (this.#options.signer === undefined) return;
    const identity = await this.#identity(host, context);
    if (identity?.record.declares === true) return;
    const message = `Engines of host ${host} may not make networks: make it with 'skein network create', or let the host join with a token that says --declares-networks`;
    throw new SkeinError('forbidden', message, { field: 'host', facts: { host } });
  }

  async #spend(
    token: Found<JoinTokenRecord>,
    identity: Found<HostIdentityRecord>,
    context: RequestContext,
  ): Promise<boolean> {
    const { store, fence } = this.#options;
    const { id, usesLeft } = token.record;
    const identityKey = keys.hostIdentity(identity.record.host);
    const lease =
      token.revision === 0 ? await this.#remember(id, rememberStandingMs, context) : token.lease;
    const { succeeded } = await store.txn(
      {
        compare: [
          fence(),
          equals(keys.joinToken(id), token.revision),
          equals(identityKey, identity.revision),
        ],
        success: [
          putToken({ ...token.record, usesLeft: usesLeft - 1 }, lease),
          { type: 'put', key: identityKey, value: JSON.stringify(identity.record) },
        ],
      },
      { context },
    );
    return succeeded;
  }

  #signer(): HostSigner {
    const { signer } = this.#options;
    if (signer !== undefined) return signer;
    throw new SkeinError('joining_disabled', 'This registry has no key to sign hosts with');
  }

  async #token(id: string, context: RequestContext): Promise<Found<JoinTokenRecord> | undefined> {
    const kv = await this.#options.store.get(keys.joinToken(id), { context });
    if (kv !== undefined) return found(kv, tokenOf(kv.value));
    const standing = this.#options.standing?.find((each) => each.id === id);
    if (standing === undefined) return undefined;
    const now = this.#options.time.wallMs();
    const created = { request: 'configuration', at: now };
    const { digest, host, uses = 1, declares } = standing;
    // One for any host ends when what was remembered of it is forgotten: it then stands as at first.
    const ttlMs = host === undefined ? rememberStandingMs : dayMs;
    const bound = {
      ...(host === undefined ? {} : { host }),
      ...(declares === undefined ? {} : { declares }),
    };
    const record = { id, digest, ...bound, uses, usesLeft: uses, expiresAt: now + ttlMs, created };
    return { record, revision: 0 };
  }

  async #identity(
    host: string,
    context: RequestContext,
  ): Promise<Found<HostIdentityRecord> | undefined> {
    const kv = await this.#options.store.get(keys.hostIdentity(host), { context });
    return kv && found(kv, hostIdentityRecordSchema.parse(JSON.parse(kv.value)));
  }

  /** The token's record goes with this lease. */
  async #remember(id: string, ttlMs: number, context: RequestContext): Promise<string> {
    const lease = `join-token-${id}`;
    await this.#options.store.grantLease({ ttlMs, lease }, { context }).catch((thrown: unknown) => {
      if (SkeinError.from(thrown).code !== 'lease_exists') throw thrown;
    });
    return lease;
  }
}

function found<Record>({ modRevision: revision, lease }: KeyValue, record: Record): Found<Record> {
  return { record, revision, lease };
}

const tokenOf = (value: string): JoinTokenRecord => joinTokenRecordSchema.parse(JSON.parse(value));

function putToken(record: JoinTokenRecord, lease: string | undefined) {
  const key = keys.joinToken(record.id);
  const value = JSON.stringify(record);
  return { type: 'put' as const, key, value, ...(lease === undefined ? {} : { lease }) };
}

/** The key is as it was read; 0: not there. */
function equals(key: string, revision: number): Compare {
  return { key, target: 'modRevision', operator: '=', value: revision };
}

function notJoined(host: string): SkeinError {
  return new SkeinError('host_not_joined', `Host '${host}' has no identity with this key`, {
    field: 'host',
    facts: { host },
  });
}

function outdated(): SkeinError {
  return new SkeinError('unavailable', 'The token changes faster than it can be read');
}
