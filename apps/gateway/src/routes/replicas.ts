// One replica at a time, by its id: these routes need no leader and no quorum, and so nothing of the store either. What is
// done here when the quorum is lost is decided by people, who preview it first.

import {
  clusterStatusContract,
  clusterStatusSchema,
  idSchema,
  recoverContract,
  replicaHashContract,
  replicaStatusContract,
  rotateKeyContract,
  unlockContract,
  backupContentType,
} from '@skein/contracts';
import { z } from 'zod';
import { streamBackup } from '../http/backup-stream';
import { defineRoute, type Route } from '../http/route';
import { noParams, noQuery, present } from '../http/shapes';

const statusTimeoutMs = 2_000;
const replicaParams = z.strictObject({
  replica: idSchema.meta({ description: 'Id of a manager.', example: 'm2' }),
});

const getReplica = defineRoute({
  method: 'GET',
  path: '/v1/cluster/replicas/{replica}',
  operation: 'getReplica',
  tag: 'cluster',
  summary: 'One replica as it sees itself, whether there is a leader or not.',
  role: 'viewer',
  params: replicaParams,
  query: noQuery,
  success: {
    status: 200,
    description: 'The replica; of the others it knows only if it leads.',
    schema: clusterStatusSchema.meta({ id: 'Replica' }),
    example: {
      clusterId: 'c-7d1f',
      replicaId: 'm2',
      leaderId: null,
      term: 7,
      role: 'preCandidate',
      lastIndex: 1042,
      commitIndex: 1040,
      appliedIndex: 1040,
      revision: 1031,
      members: [],
    },
  },
  errors: ['member_not_found', 'precondition_failed'],
  handle: async ({ params: { replica } }, { ask }) => {
    const options = { instance: replica, timeoutMs: statusTimeoutMs };
    const body = await ask(replicaStatusContract, {}, options);
    return { body, revision: body.revision };
  },
});

const getHash = defineRoute({
  method: 'GET',
  path: '/v1/cluster/replicas/{replica}/hash',
  operation: 'getReplicaHash',
  tag: 'cluster',
  summary: "The rolling hash of a replica's state, to compare with another's.",
  role: 'viewer',
  params: replicaParams,
  query: noQuery,
  success: {
    status: 200,
    description:
      'The hash now and at recent points; equal on replicas that have applied equally much.',
    schema: replicaHashContract.reply,
    example: {
      replicaId: 'm2',
      appliedIndex: 1042,
      revision: 1031,
      hash: '9f86d081884c7d65',
      points: [{ appliedIndex: 1000, revision: 990, hash: '2c26b46b68ffc68f' }],
    },
  },
  errors: ['member_not_found', 'locked'],
  handle: async ({ params: { replica } }, { ask }) => ({
    body: await ask(replicaHashContract, {}, { instance: replica }),
  }),
});

const recoverReplica = defineRoute({
  method: 'POST',
  path: '/v1/cluster/replicas/{replica}:recover',
  operation: 'recoverReplica',
  tag: 'cluster',
  summary: 'Makes a replica the only voter of a new epoch, after the quorum was lost for good.',
  description:
    'For when a majority of the managers is lost for good. `preview` changes nothing; `confirm` takes the token of a ' +
    'preview. Preview every survivor and confirm on the one with the highest `lastTerm`, then `lastIndex`: what only lost ' +
    'replicas held is lost. Nobody else of the old epoch is listened to afterwards.',
  role: 'admin',
  params: replicaParams,
  query: noQuery,
  body: recoverContract.request,
  bodyExample: { action: 'preview' },
  success: {
    status: 200,
    description: 'What the replica holds, and what would be, or is now, the cluster.',
    schema: recoverContract.reply,
    example: {
      replicaId: 'm2',
      clusterId: 'c-7d1f',
      epoch: 0,
      nextEpoch: 1_517_311,
      term: 7,
      lastIndex: 1042,
      lastTerm: 6,
      commitIndex: 1040,
      appliedIndex: 1040,
      revision: 1031,
      configuration: { voters: ['m1', 'm2', 'm3'], outgoing: [], learners: [], index: 1 },
      heard: ['m2'],
      isRecovering: false,
      confirmed: false,
      token: '7-6-1042-1',
    },
  },
  errors: ['member_not_found', 'quorum_present', 'preview_outdated', 'locked', 'unknown_outcome'],
  isUnkeyed: true,
  handle: async ({ params: { replica }, body }, { ask }) => ({
    body: await ask(recoverContract, present(body), { instance: replica }),
  }),
});

const unlockReplica = defineRoute({
  method: 'POST',
  path: '/v1/cluster/replicas/{replica}:unlock',
  operation: 'unlockReplica',
  tag: 'cluster',
  summary: 'Gives a replica the key of its encrypted log.',
  role: 'admin',
  params: replicaParams,
  query: noQuery,
  body: unlockContract.request,
  bodyExample: { key: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' },
  success: {
    status: 200,
    description: 'Whether it was locked.',
    schema: unlockContract.reply,
    example: { replicaId: 'm2', wasLocked: true },
  },
  errors: ['member_not_found', 'wrong_key', 'not_encrypted'],
  isUnkeyed: true,
  handle: async ({ params: { replica }, body }, { ask }) => ({
    body: await ask(unlockContract, body, { instance: replica }),
  }),
});

const rotateKey = defineRoute({
  method: 'POST',
  path: '/v1/cluster/replicas/{replica}:rotate-key',
  operation: 'rotateReplicaKey',
  tag: 'cluster',
  summary: "Renews the key of a replica's encrypted log.",
  role: 'admin',
  params: replicaParams,
  query: noQuery,
  body: rotateKeyContract.request,
  bodyExample: { kind: 'data' },
  success: {
    status: 200,
    description: 'Which key was renewed.',
    schema: rotateKeyContract.reply,
    example: { replicaId: 'm2', kind: 'data' },
  },
  errors: ['member_not_found', 'locked', 'not_encrypted', 'unknown_outcome'],
  isUnkeyed: true,
  handle: async ({ params: { replica }, body }, { ask }) => ({
    body: await ask(rotateKeyContract, body, { instance: replica }),
  }),
});

const takeBackup = defineRoute({
  method: 'GET',
  path: '/v1/cluster/backup',
  operation: 'takeBackup',
  tag: 'cluster',
  summary: 'The whole store as of one moment, as a file.',
  description:
    'The whole store as of one moment: one line of JSON, the state in frames of four bytes length and content, one line of ' +
    'JSON with size and SHA-256. A file without that last line was cut off. Read from the leader unless `replica` names ' +
    'another, which then needs no leader.',
  role: 'operator',
  params: noParams,
  query: z.strictObject({
    replica: idSchema.optional().meta({ description: 'Take it from this replica.' }),
  }),
  success: {
    status: 200,
    description: 'The backup file.',
    mediaType: backupContentType,
    schema: z.string().meta({ override: { type: 'string', format: 'binary' } }),
    example: '{"skeinBackup":1,"clusterId":"c-7d1f",…}',
  },
  errors: ['member_not_found', 'no_leader', 'locked'],
  handle: () => Promise.reject(new Error('a backup is streamed')),
  stream: async ({ query: { replica } }, context) => {
    if (replica !== undefined) return streamBackup(replica, context);
    const options = { timeoutMs: statusTimeoutMs };
    const { replicaId } = await context.ask(clusterStatusContract, {}, options);
    return streamBackup(replicaId, context);
  },
});

export const replicaRoutes: readonly Route[] = [
  getReplica,
  getHash,
  recoverReplica,
  unlockReplica,
  rotateKey,
  takeBackup,
];
