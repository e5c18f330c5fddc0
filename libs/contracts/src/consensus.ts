// What a Raft replica says of itself, leader or not. Raft's own peer traffic is binary and lives in libs/raft.

import { z } from 'zod';
import { defineContract } from './contract';
import { idSchema, revisionSchema } from './names';

export const memberStatusSchema = z.object({
  id: idSchema,
  role: z.enum(['leader', 'follower', 'candidate', 'preCandidate', 'learner', 'unreachable']),
  matchIndex: z.int(),
  /** Entries behind the leader's last one. */
  lag: z.int(),
  healthy: z.boolean(),
});

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

/** Asked of one replica by its id. */
export const replicaStatusContract = defineContract({
  service: 'consensus',
  verb: 'status',
  description: 'One replica as it sees itself.',
  request: z.strictObject({}),
  reply: clusterStatusSchema,
  idempotent: true,
  perInstance: true,
});

export const transferLeadershipContract = defineContract({
  service: 'consensus',
  verb: 'transfer-leadership',
  description: 'Hands leadership to another member, or to the one furthest ahead.',
  request: z.strictObject({ to: idSchema.optional() }),
  reply: z.object({ from: idSchema, to: idSchema, term: z.int() }),
  idempotent: false,
});
