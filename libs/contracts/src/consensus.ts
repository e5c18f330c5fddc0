// What the consensus group says of itself, and how its members change. Served by the leader alone; what a single replica
// serves, leading or not, is in replica.ts. Raft's own peer traffic is binary and lives in libs/raft.

import { z } from 'zod';
import { defineContract } from './contract';
import { idSchema, revisionSchema, timeSchema } from './names';

export const memberStatusSchema = z.object({
  id: idSchema,
  role: z.enum(['leader', 'follower', 'candidate', 'preCandidate', 'learner', 'unreachable']),
  matchIndex: z.int(),
  /** Entries behind the leader's last one. */
  lag: z.int(),
  healthy: z.boolean(),
  /** Gets the log and does not vote. */
  isLearner: z.boolean().optional(),
  /** Readiness to lead, 0–100; 0 never campaigns by itself. */
  priority: z.int().min(0).max(100).optional(),
  /** Version of the program that it runs. */
  version: z.string().optional(),
  /** Highest cluster protocol version that it understands. */
  protocolMax: z.int().optional(),
  /** Recent time of a log write until it was durable, in milliseconds. */
  diskLatencyMs: z.number().min(0).optional(),
  snapshotIndex: z.int().optional(),
  /** Being sent a snapshot at this index. */
  pendingSnapshotIndex: z.int().optional(),
  /** Its log was damaged: it neither votes nor counts until it has caught up. */
  isRecovering: z.boolean().optional(),
  /** Waits for its key and takes no part yet. */
  isLocked: z.boolean().optional(),
});
export type MemberStatus = z.output<typeof memberStatusSchema>;

/** Who votes and who only listens. `outgoing` is not empty while one set of voters is being replaced by another. */
export const configurationSchema = z.object({
  voters: z.array(idSchema),
  outgoing: z.array(idSchema),
  learners: z.array(idSchema),
  /** Log index of the entry that made it so; what `expectedIndex` is compared with. */
  index: z.int(),
});
export type ClusterConfiguration = z.output<typeof configurationSchema>;

/** `nospace`: the quota is used up, only reads and deletes are taken. `corrupt`: a replica's state differs from the others'. */
export const alarmSchema = z.object({
  alarm: z.enum(['nospace', 'corrupt']),
  /** The replica that it is about; absent: the whole store. */
  replica: idSchema.optional(),
  at: timeSchema.optional(),
});
export type Alarm = z.output<typeof alarmSchema>;

export const clusterStatusSchema = z.object({
  clusterId: idSchema,
  replicaId: idSchema,
  leaderId: idSchema.nullable(),
  term: z.int(),
  role: memberStatusSchema.shape.role,
  lastIndex: z.int(),
  commitIndex: z.int(),
  appliedIndex: z.int(),
  revision: revisionSchema,
  members: z.array(memberStatusSchema),
  configuration: configurationSchema.optional(),
  /** Grows with each recovery or restore; replicas of another epoch are not listened to. */
  epoch: z.int().min(0).optional(),
  /** Version of this replica's program. */
  version: z.string().optional(),
  /** What all members have agreed to understand. */
  protocolVersion: z.int().optional(),
  compactRevision: revisionSchema.optional(),
  keys: z.int().optional(),
  /** Logical size of the store, and how large it may grow; 0: no limit. */
  bytes: z.int().optional(),
  quotaBytes: z.int().optional(),
  logBytes: z.int().optional(),
  snapshotBytes: z.int().optional(),
  snapshotIndex: z.int().optional(),
  /** First index that the log still holds. */
  firstIndex: z.int().optional(),
  diskLatencyMs: z.number().min(0).optional(),
  alarms: z.array(alarmSchema).optional(),
  stateHash: z.string().optional(),
  isRecovering: z.boolean().optional(),
  isInstalling: z.boolean().optional(),
  /** True while the log is encrypted and waits for its key. */
  isLocked: z.boolean().optional(),
  isEncrypted: z.boolean().optional(),
  /** Set if the log was found damaged at the last start. */
  repair: z
    .object({ reason: z.string(), lostFrom: z.int(), keptEntries: z.int(), setAside: z.string() })
    .optional(),
});
export type ClusterStatus = z.output<typeof clusterStatusSchema>;

/** Asked of the leader: the whole cluster as it sees it. */
export const clusterStatusContract = defineContract({
  service: 'consensus',
  verb: 'cluster-status',
  description: 'The cluster as the leader sees it.',
  request: z.strictObject({}),
  reply: clusterStatusSchema,
  idempotent: true,
});

export const transferLeadershipContract = defineContract({
  service: 'consensus',
  verb: 'transfer-leadership',
  description: 'Hands leadership to another member, or to the one furthest ahead.',
  request: z.strictObject({ to: idSchema.optional() }),
  reply: z.object({ from: idSchema, to: idSchema, term: z.int() }),
  idempotent: false,
});

/**
 * One change at a time. `add` takes a new member in as a learner, or with `learner: false` as a voter at once; `promote`
 * lets a learner vote once it is near the leader's log end (`learner_behind` until then); `demote` makes a voter a learner;
 * `remove` drops a member of either kind. Asked again for what is so already, each answers without a change.
 */
export const changeMembersContract = defineContract({
  service: 'consensus',
  verb: 'change-members',
  description: 'Adds, promotes, demotes or removes one member.',
  request: z.strictObject({
    id: idSchema,
    action: z.enum(['add', 'promote', 'demote', 'remove']),
    /** For `add`; default true. */
    learner: z.boolean().optional(),
    /** Refused with `configuration_changed` if the configuration has another index by now. */
    expectedIndex: z.int().min(0).optional(),
  }),
  reply: z.object({ configuration: configurationSchema, index: z.int() }),
  idempotent: true,
  timeoutMs: 10_000,
});
