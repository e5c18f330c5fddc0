// The key-value store's conversations. Only the Raft leader serves them; semantics are etcd v3's (one revision a
// transaction). Keys and values are text, so that the NATS CLI shows what people expect.

import { z } from 'zod';
import { defineContract } from './contract';
import { revisionSchema, timeSchema } from './names';

export const maxKeyBytes = 1_024;
export const maxValueBytes = 512 * 1_024;
export const maxOperations = 2_048;

const service = 'store';
const keySchema = z.string().max(maxKeyBytes);
const valueSchema = z.string().max(maxValueBytes);
export const leaseIdSchema = z.string().min(1).max(64);

export const keyValueSchema = z.object({
  key: z.string(),
  value: z.string(),
  createRevision: revisionSchema,
  modRevision: revisionSchema,
  version: z.int(),
  lease: leaseIdSchema.optional(),
});
export type KeyValue = z.output<typeof keyValueSchema>;

/** `rangeEnd` is exclusive; `prefix: true` takes all keys that start with `key`. At most one of the two. */
export const spanShape = {
  key: keySchema,
  rangeEnd: keySchema.optional(),
  prefix: z.boolean().optional(),
};

/** A client and its running number: the store applies each pair once and repeats its answer. */
export const onceSchema = z.strictObject({
  client: z.string().min(1).max(64),
  sequence: z.int().min(1),
  /** Every sequence below this one has been answered: their kept answers may go. */
  settledBelow: z.int().min(0).optional(),
});
const once = onceSchema.optional();

export const rangeShape = {
  ...spanShape,
  limit: z.int().min(0).max(10_000).optional(),
  /** State as of this revision; absent or 0 means now. */
  revision: revisionSchema.optional(),
  keysOnly: z.boolean().optional(),
  countOnly: z.boolean().optional(),
  descending: z.boolean().optional(),
  /** Order before `limit` is counted; absent: by key, ascending. Wins over `descending`. */
  sort: z
    .strictObject({
      by: z.enum(['key', 'version', 'createRevision', 'modRevision', 'value']),
      order: z.enum(['ascending', 'descending']),
    })
    .optional(),
  minModRevision: revisionSchema.optional(),
  maxModRevision: revisionSchema.optional(),
  minCreateRevision: revisionSchema.optional(),
  maxCreateRevision: revisionSchema.optional(),
};
/**
 * `linearizable` (default) confirms leadership first; `lease` answers at once while the leader's lease holds, else as
 * `linearizable`; `bounded` answers from a replica that is at most `maxStalenessMs` behind; `stale` from memory at once.
 */
export const consistencySchema = z.enum(['linearizable', 'lease', 'bounded', 'stale']);
export type Consistency = z.output<typeof consistencySchema>;

export const rangeRequestSchema = z.strictObject({
  ...rangeShape,
  consistency: consistencySchema.optional(),
  /** For `bounded`; refused with `too_stale` if the replica is further behind. */
  maxStalenessMs: z.int().min(0).max(3_600_000).optional(),
});
/** An answer never exceeds about 700 KiB: it ends early with `more`. */
export const rangeReplySchema = z.object({
  revision: revisionSchema,
  kvs: z.array(keyValueSchema),
  /** How many keys the span holds, whatever the limit. */
  count: z.int(),
  more: z.boolean(),
});

const putShape = {
  key: keySchema,
  value: valueSchema,
  lease: leaseIdSchema.optional(),
  previous: z.boolean().optional(),
  /** Keep the value (or lease) that the key has, which must exist; `value` is then empty (`lease` absent). */
  ignoreValue: z.boolean().optional(),
  ignoreLease: z.boolean().optional(),
};
const deleteShape = { ...spanShape, previous: z.boolean().optional() };

export const compareSchema = z.strictObject({
  ...spanShape,
  target: z.enum(['version', 'createRevision', 'modRevision', 'value', 'lease']),
  operator: z.enum(['=', '!=', '<', '>']),
  value: z.union([z.string(), z.int()]),
});
export type Compare = z.output<typeof compareSchema>;

const writeOrReadSchemas = [
  z.strictObject({ type: z.literal('put'), ...putShape }),
  z.strictObject({ type: z.literal('delete'), ...deleteShape }),
  z.strictObject({ type: z.literal('range'), ...rangeShape }),
] as const;

/** A transaction inside another one, at most four levels in all. Its compares see the state before the whole. */
export interface TransactionOperation {
  type: 'txn';
  compare: readonly Compare[];
  success: readonly Operation[];
  failure: readonly Operation[];
}
export type Operation = z.output<(typeof writeOrReadSchemas)[number]> | TransactionOperation;

const branchSchema = z.lazy(() => z.array(operationSchema).max(maxOperations));
export const operationSchema: z.ZodType<Operation, Operation> = z.discriminatedUnion('type', [
  ...writeOrReadSchemas,
  z.strictObject({
    type: z.literal('txn'),
    compare: z.array(compareSchema).max(maxOperations),
    success: branchSchema,
    failure: branchSchema,
  }),
]);

const plainResultSchemas = [
  z.object({ type: z.literal('put'), previous: keyValueSchema.optional() }),
  z.object({
    type: z.literal('delete'),
    deleted: z.int(),
    previous: z.array(keyValueSchema).optional(),
  }),
  z.object({
    type: z.literal('range'),
    kvs: z.array(keyValueSchema),
    count: z.int(),
    more: z.boolean(),
  }),
] as const;
export type OperationResult =
  | z.output<(typeof plainResultSchemas)[number]>
  | { type: 'txn'; succeeded: boolean; results: OperationResult[] };
export const operationResultSchema: z.ZodType<OperationResult> = z.discriminatedUnion('type', [
  ...plainResultSchemas,
  z.object({
    type: z.literal('txn'),
    succeeded: z.boolean(),
    results: z.lazy(() => z.array(operationResultSchema)),
  }),
]);

export const transactionRequestSchema = z.strictObject({
  compare: z.array(compareSchema).max(maxOperations).default([]),
  success: z.array(operationSchema).max(maxOperations).default([]),
  failure: z.array(operationSchema).max(maxOperations).default([]),
  once,
});
export const transactionReplySchema = z.object({
  succeeded: z.boolean(),
  /** The store's revision after it; grew by one if anything was written. */
  revision: revisionSchema,
  results: z.array(operationResultSchema),
});

export const storeEventSchema = z.object({
  type: z.enum(['put', 'delete']),
  /** For a delete: key and modRevision of the tombstone, empty value, version 0. */
  kv: keyValueSchema,
  previous: keyValueSchema.optional(),
});
export type StoreEvent = z.output<typeof storeEventSchema>;

/** All events of one revision, in order; what a watch delivers. */
export const revisionEventsSchema = z.object({
  revision: revisionSchema,
  at: timeSchema,
  events: z.array(storeEventSchema),
});
export type RevisionEvents = z.output<typeof revisionEventsSchema>;

/** Revisions as the store itself wrote them, at a rate at which checking each anew costs more than anything done with them. */
const writtenRevisions = z
  .array(z.custom<z.output<typeof revisionEventsSchema>>())
  .meta({ description: 'Revisions with their events.' });

/** What the leader publishes to a watch's `deliver` subject. `after` is the revision the receiver must have reached. */
export const watchMessageSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('events'),
    watch: z.string(),
    after: revisionSchema,
    through: revisionSchema,
    revisions: writtenRevisions,
  }),
  z.object({
    kind: z.literal('progress'),
    watch: z.string(),
    after: revisionSchema,
    through: revisionSchema,
  }),
  z.object({
    kind: z.literal('canceled'),
    watch: z.string(),
    code: z.string(),
    compactRevision: revisionSchema.optional(),
  }),
]);
export type WatchMessage = z.output<typeof watchMessageSchema>;

export const rangeContract = defineContract({
  service,
  verb: 'range',
  description: 'Reads one key or a span of keys.',
  request: rangeRequestSchema,
  reply: rangeReplySchema,
  idempotent: true,
});
export const putContract = defineContract({
  service,
  verb: 'put',
  description: 'Writes one key.',
  request: z.strictObject({ ...putShape, once }),
  reply: z.object({ revision: revisionSchema, previous: keyValueSchema.optional() }),
  idempotent: false,
});
export const deleteContract = defineContract({
  service,
  verb: 'delete',
  description: 'Deletes one key or a span of keys.',
  request: z.strictObject({ ...deleteShape, once }),
  reply: z.object({
    revision: revisionSchema,
    deleted: z.int(),
    previous: z.array(keyValueSchema).optional(),
  }),
  idempotent: false,
});
export const transactionContract = defineContract({
  service,
  verb: 'txn',
  description: 'Compares, then writes and reads, as one step with one revision.',
  request: transactionRequestSchema,
  reply: transactionReplySchema,
  idempotent: false,
});
export const watchContract = defineContract({
  service,
  verb: 'watch',
  description:
    'Opens or renews a watch: events from a revision on are published to `deliver` until it is closed or not renewed.',
  request: z.strictObject({
    watch: z.string().min(1).max(64),
    ...spanShape,
    /** First revision to deliver; absent: only what comes after now. */
    fromRevision: revisionSchema.optional(),
    deliver: z.string().min(1).max(256),
    previous: z.boolean().optional(),
    /** Kinds of events that are left out. */
    filters: z
      .array(z.enum(['noput', 'nodelete']))
      .max(2)
      .optional(),
  }),
  reply: z.object({ revision: revisionSchema, renewWithinMs: z.int() }),
  idempotent: true,
});
export const closeWatchContract = defineContract({
  service,
  verb: 'close-watch',
  description: 'Ends a watch.',
  request: z.strictObject({ watch: z.string().min(1).max(64) }),
  reply: z.object({}),
  idempotent: true,
});
export const grantLeaseContract = defineContract({
  service,
  verb: 'grant-lease',
  description: 'Grants a lease; keys put under it go with it.',
  request: z.strictObject({
    ttlMs: z
      .int()
      .min(500)
      .max(86_400_000 * 30),
    lease: leaseIdSchema.optional(),
    once,
  }),
  reply: z.object({ lease: leaseIdSchema, ttlMs: z.int(), revision: revisionSchema }),
  idempotent: false,
});
export const keepAliveContract = defineContract({
  service,
  verb: 'keep-alive',
  description: 'Renews a lease to its full time.',
  request: z.strictObject({ lease: leaseIdSchema }),
  reply: z.object({ lease: leaseIdSchema, ttlMs: z.int() }),
  idempotent: true,
});
export const revokeLeaseContract = defineContract({
  service,
  verb: 'revoke-lease',
  description: 'Ends a lease and deletes the keys under it, in one revision.',
  request: z.strictObject({ lease: leaseIdSchema, once }),
  reply: z.object({ revision: revisionSchema, deleted: z.int() }),
  idempotent: false,
});
export const leaseRecordSchema = z.object({
  lease: leaseIdSchema,
  ttlMs: z.int(),
  /** Tells it from an earlier lease of the same name. */
  grant: z.int(),
  remainingMs: z.int(),
  keys: z.int(),
});
export const leasesContract = defineContract({
  service,
  verb: 'leases',
  description: 'Lists leases with their time left.',
  request: z.strictObject({}),
  reply: z.object({
    leases: z.array(leaseRecordSchema),
  }),
  idempotent: true,
});
