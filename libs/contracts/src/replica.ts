// What every replica serves by its id, leading or not, and without a quorum: its own state, reads at a chosen level, the
// state's hash, a backup, and what an operator does to one replica when the group can't decide by itself.

import { z } from 'zod';
import { backupHeaderSchema } from './backup';
import { clusterStatusSchema, configurationSchema } from './consensus';
import { defineContract } from './contract';
import { idSchema, revisionSchema } from './names';
import { rangeReplySchema, rangeRequestSchema } from './store';

const service = 'consensus';
/** Largest piece of a backup that one answer carries, before base64. */
export const maxBackupPieceBytes = 512 * 1_024;

export const replicaStatusContract = defineContract({
  service,
  verb: 'status',
  description: 'One replica as it sees itself.',
  request: z.strictObject({}),
  reply: clusterStatusSchema,
  idempotent: true,
  perInstance: true,
});

export const replicaRangeContract = defineContract({
  service,
  verb: 'range',
  description: 'Reads from this replica at the level that `consistency` names.',
  request: rangeRequestSchema,
  reply: rangeReplySchema,
  idempotent: true,
  perInstance: true,
});

/** Replicas that have applied equally much have equal hashes; the points allow comparing two that have not. */
export const replicaHashContract = defineContract({
  service,
  verb: 'hash',
  description: "The rolling hash of this replica's state, now and at recent points.",
  request: z.strictObject({}),
  reply: z.object({
    replicaId: idSchema,
    appliedIndex: z.int(),
    revision: revisionSchema,
    hash: z.string(),
    points: z.array(
      z.object({ appliedIndex: z.int(), revision: revisionSchema, hash: z.string() }),
    ),
  }),
  idempotent: true,
  perInstance: true,
});

/**
 * The whole state as of one moment, piece by piece. The first request names no backup and offset 0; the answer names the
 * backup, which the replica keeps for a minute after the last request. The same offset may be asked again.
 */
export const backupContract = defineContract({
  service,
  verb: 'backup',
  description: "One piece of a backup of this replica's applied state.",
  request: z.strictObject({ backup: idSchema.optional(), offset: z.int().min(0) }),
  reply: z.object({
    backup: idSchema,
    header: backupHeaderSchema,
    offset: z.int(),
    /** Base64; at most `maxBackupPieceBytes` before. */
    data: z.string(),
    done: z.boolean(),
    /** With `done`: how many bytes there were in all, and their SHA-256 in hexadecimal. */
    size: z.int().optional(),
    sha256: z.string().optional(),
  }),
  idempotent: true,
  perInstance: true,
  timeoutMs: 30_000,
});

/**
 * For when the quorum is lost for good. `preview` changes nothing and answers what this replica holds and a token;
 * `confirm` with that token makes this replica the only voter of a new epoch. What the lost replicas alone had committed is
 * lost; so preview every survivor and confirm on the one that is furthest ahead. Refused with `quorum_present` while a
 * leader is heard, unless `force` is set.
 */
export const recoverContract = defineContract({
  service,
  verb: 'recover',
  description:
    'Makes this replica the only voter of a new epoch, after a quorum was lost for good.',
  request: z.strictObject({
    action: z.enum(['preview', 'confirm']),
    /** From the preview; refused with `preview_outdated` if log or configuration have moved since. */
    token: z.string().min(1).max(128).optional(),
    force: z.boolean().optional(),
  }),
  reply: z.object({
    replicaId: idSchema,
    clusterId: idSchema,
    /** The epoch as it is, and as it will be or, after `confirm`, has become. */
    epoch: z.int(),
    nextEpoch: z.int(),
    term: z.int(),
    lastIndex: z.int(),
    lastTerm: z.int(),
    commitIndex: z.int(),
    appliedIndex: z.int(),
    revision: revisionSchema,
    /** As it is; after `confirm`, the new one. */
    configuration: configurationSchema,
    /** Members heard within the last election timeout, this replica among them. */
    heard: z.array(idSchema),
    isRecovering: z.boolean(),
    confirmed: z.boolean(),
    token: z.string().optional(),
  }),
  idempotent: false,
  perInstance: true,
  timeoutMs: 10_000,
});

const keySchema = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/, 'expected 32 bytes in base64')
  .describe('32 bytes in base64');

export const unlockContract = defineContract({
  service,
  verb: 'unlock',
  description:
    'Gives a replica the key of its encrypted log. A wrong one is refused with `wrong_key`.',
  request: z.strictObject({ key: keySchema }),
  reply: z.object({ replicaId: idSchema, wasLocked: z.boolean() }),
  idempotent: true,
  perInstance: true,
  timeoutMs: 30_000,
});

/** `data` draws a new data key for what is written from now on; `unlock` wraps it under a new key of the operator's. */
export const rotateKeyContract = defineContract({
  service,
  verb: 'rotate-key',
  description: "Renews the key of a replica's encrypted log.",
  request: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('data') }),
    z.strictObject({ kind: z.literal('unlock'), newKey: keySchema }),
  ]),
  reply: z.object({ replicaId: idSchema, kind: z.enum(['data', 'unlock']) }),
  idempotent: false,
  perInstance: true,
  timeoutMs: 30_000,
});
