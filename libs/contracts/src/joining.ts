// How a host comes to speak for itself: an admin makes a token, the host's agent joins with it and a key of its own, and gets
// a credential that is renewed as long as the host is not removed. The key's seed never leaves the host.

import { z } from 'zod';
import { defineContract } from './contract';
import { idSchema, revisionSchema, timeSchema } from './names';
import { causeSchema } from './state';

const service = 'registry';

/** What a host is named by to NATS: an nkey of the kind `user`. */
export const publicKeySchema = z
  .string()
  .regex(/^U[A-Z2-7]{55}$/, 'expected the public nkey of a user');

/** What a host joins with: the token's id, and its secret in base64url. */
export const joinTokenPattern = /^skein-join-([a-z0-9]{1,32})-([A-Za-z0-9_-]{16,128})$/;

export const joinTokenRecordSchema = z.object({
  id: idSchema,
  /** SHA-256 of the secret, in hexadecimal: the token itself is shown once and kept nowhere. */
  digest: z.string(),
  /** The only host that may use it; absent: any host whose id is free. */
  host: idSchema.optional(),
  uses: z.int(),
  usesLeft: z.int(),
  expiresAt: timeSchema,
  isRevoked: z.literal(true).optional(),
  /** Engines of hosts that join with it may make networks for the cluster. */
  declares: z.literal(true).optional(),
  created: causeSchema,
});
export type JoinTokenRecord = z.output<typeof joinTokenRecordSchema>;

export const hostIdentityRecordSchema = z.object({
  host: idSchema,
  publicKey: z.string(),
  /** Id of the token that it joined with. */
  joinToken: idSchema,
  /** As its token said. */
  declares: z.literal(true).optional(),
  joined: causeSchema,
});
export type HostIdentityRecord = z.output<typeof hostIdentityRecordSchema>;

export const joinTokenViewSchema = joinTokenRecordSchema
  .omit({ digest: true, isRevoked: true })
  .extend({ state: z.enum(['usable', 'expired', 'used_up', 'revoked']) });
export type JoinTokenView = z.output<typeof joinTokenViewSchema>;

const minuteMs = 60_000;

export const createJoinTokenContract = defineContract({
  service,
  verb: 'create-join-token',
  description: 'Makes a token with which hosts can join; the answer is the only time it is shown.',
  request: z.strictObject({
    host: idSchema.optional(),
    ttlMs: z
      .int()
      .min(minuteMs)
      .max(7 * 24 * 60 * minuteMs)
      .default(60 * minuteMs),
    /** How many hosts; one for a token that names its host. */
    uses: z.int().min(1).max(1_000).default(1),
    /** Whether engines of these hosts may make networks for the cluster. */
    declares: z.boolean().default(false),
  }),
  reply: joinTokenViewSchema.extend({ token: z.string(), revision: revisionSchema }),
  idempotent: false,
});
export const listJoinTokensContract = defineContract({
  service,
  verb: 'list-join-tokens',
  description: 'Lists join tokens, until a day after they have ended; never their secrets.',
  request: z.strictObject({}),
  reply: z.object({ tokens: z.array(joinTokenViewSchema), revision: revisionSchema }),
  idempotent: true,
});
export const revokeJoinTokenContract = defineContract({
  service,
  verb: 'revoke-join-token',
  description: 'Ends a join token. Hosts that have joined with it stay.',
  request: z.strictObject({ id: idSchema }),
  reply: z.object({ revision: revisionSchema }),
  idempotent: true,
});

const credentialSchema = z.object({
  /** NATS user JWT of this host, of use to who holds the key's seed. */
  jwt: z.string(),
  /** How long NATS takes it, from when it was signed. */
  ttlMs: z.int(),
});
export const joinContract = defineContract({
  service,
  verb: 'join',
  description: 'Trades a join token for the credential of a host. Asked by the user `join`.',
  request: z.strictObject({
    token: z.string().min(1).max(256),
    host: idSchema,
    publicKey: publicKeySchema,
  }),
  reply: credentialSchema,
  idempotent: true,
  maxBodyBytes: 1_024,
});
/** Who asks needs no proof: what is answered is of no use without the seed of the key that joined. */
export const renewCredentialContract = defineContract({
  service,
  verb: 'renew-credential',
  description: 'The next credential of a host that has joined with this key.',
  request: z.strictObject({ host: idSchema, publicKey: publicKeySchema }),
  reply: credentialSchema,
  idempotent: true,
  maxBodyBytes: 1_024,
});
