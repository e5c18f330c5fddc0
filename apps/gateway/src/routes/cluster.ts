// The consensus group as its leader sees it: who leads, who is a member, what is wrong with it. Single replicas, which answer
// without a leader, are in replicas.ts.

import {
  alarmSchema,
  alarmsContract,
  changeMembersContract,
  clearAlarmContract,
  clusterStatusContract,
  clusterStatusSchema,
  idSchema,
  settingsContract,
  setSettingsContract,
  transferLeadershipContract,
} from '@skein/contracts';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { noParams, noQuery, present, queryInteger } from '../http/shapes';

/** An election takes less; who asks for the state of the cluster wants to hear soon that there is no leader. */
const statusTimeoutMs = 2_000;

const memberParam = idSchema.meta({ description: 'Id of a manager.', example: 'm4' });
const expectedIndexQuery = z.strictObject({
  expectedIndex: queryInteger(
    { min: 0, max: Number.MAX_SAFE_INTEGER },
    'Refuse if the configuration has another index by now.',
  ).optional(),
});
const configurationExample = {
  voters: ['m1', 'm2', 'm3'],
  outgoing: [],
  learners: ['m4'],
  index: 1043,
};
const memberExample = {
  id: 'm1',
  role: 'leader',
  matchIndex: 1042,
  lag: 0,
  healthy: true,
  isLearner: false,
  version: '0.1.0',
  diskLatencyMs: 0.8,
  snapshotIndex: 1000,
  isRecovering: false,
};

const getCluster = defineRoute({
  method: 'GET',
  path: '/v1/cluster',
  operation: 'getCluster',
  tag: 'cluster',
  summary: 'The consensus group as its leader sees it.',
  role: 'viewer',
  params: noParams,
  query: noQuery,
  success: {
    status: 200,
    description: 'The cluster.',
    schema: clusterStatusSchema.meta({ id: 'Cluster' }),
    example: {
      clusterId: 'c-7d1f',
      replicaId: 'm1',
      leaderId: 'm1',
      term: 4,
      role: 'leader',
      lastIndex: 1042,
      commitIndex: 1042,
      appliedIndex: 1042,
      revision: 1031,
      members: [memberExample],
    },
  },
  errors: ['precondition_failed', 'no_leader'],
  handle: async (_request, { ask }) => {
    const body = await ask(clusterStatusContract, {}, { timeoutMs: statusTimeoutMs });
    return { body, revision: body.revision };
  },
});

const listMembers = defineRoute({
  method: 'GET',
  path: '/v1/cluster/members',
  operation: 'listMembers',
  tag: 'cluster',
  summary: 'Who votes, who listens, and how far each has come.',
  role: 'viewer',
  params: noParams,
  query: noQuery,
  success: {
    status: 200,
    description: 'The configuration, if the leader tells it, and each member.',
    schema: clusterStatusSchema.pick({ leaderId: true, configuration: true, members: true }),
    example: { leaderId: 'm1', configuration: configurationExample, members: [memberExample] },
  },
  errors: ['no_leader'],
  handle: async (_request, { ask }) => {
    const cluster = await ask(clusterStatusContract, {}, { timeoutMs: statusTimeoutMs });
    const { leaderId, configuration, members } = cluster;
    return { body: present({ leaderId, configuration, members }) };
  },
});

const changed = {
  description: 'The configuration as it is now.',
  schema: changeMembersContract.reply,
  example: { configuration: configurationExample, index: 1043 },
};
const changeErrors = [
  'no_leader',
  'change_in_progress',
  'configuration_changed',
  'term_not_opened',
] as const;

const addMember = defineRoute({
  method: 'POST',
  path: '/v1/cluster/members',
  operation: 'addMember',
  tag: 'cluster',
  summary: 'Takes a new manager in.',
  description:
    'Takes a new manager in, as a learner unless `learner` is false: it gets the log and does not vote until promoted. ' +
    'Its process is started afterwards, with SKEIN_JOIN=1 and an empty data directory.',
  role: 'admin',
  params: noParams,
  query: noQuery,
  body: z.strictObject({
    id: idSchema,
    learner: z.boolean().optional(),
    expectedIndex: z.int().min(0).optional(),
  }),
  bodyExample: { id: 'm4' },
  success: { status: 201, ...changed },
  errors: ['learner_behind', ...changeErrors, 'invalid_configuration'],
  handle: async ({ body }, { ask }) => ({
    body: await ask(changeMembersContract, { action: 'add', ...present(body) }),
    location: `/v1/cluster/replicas/${body.id}`,
  }),
});

const removeMember = defineRoute({
  method: 'DELETE',
  path: '/v1/cluster/members/{member}',
  operation: 'removeMember',
  tag: 'cluster',
  summary: 'Drops a manager, voter or learner.',
  role: 'admin',
  params: z.strictObject({ member: memberParam }),
  query: expectedIndexQuery,
  success: { status: 200, ...changed },
  errors: [...changeErrors, 'member_not_found', 'invalid_configuration'],
  handle: async ({ params: { member }, query }, { ask }) => ({
    body: await ask(changeMembersContract, { action: 'remove', id: member, ...present(query) }),
  }),
});

const shiftBody = z.strictObject({ expectedIndex: z.int().min(0).optional() });

/** A learner becomes a voter, or the other way round. */
const shiftMember = (
  action: 'promote' | 'demote',
  told: { operation: string; summary: string; error: 'learner_behind' | 'invalid_configuration' },
) =>
  defineRoute({
    method: 'POST',
    path: `/v1/cluster/members/{member}:${action}`,
    operation: told.operation,
    tag: 'cluster',
    summary: told.summary,
    role: 'admin',
    params: z.strictObject({ member: memberParam }),
    query: noQuery,
    body: shiftBody,
    bodyExample: {},
    success: { status: 200, ...changed },
    errors: [...changeErrors, 'member_not_found', told.error],
    isUnkeyed: true,
    handle: async ({ params: { member }, body }, { ask }) => ({
      body: await ask(changeMembersContract, { action, id: member, ...present(body) }),
    }),
  });

const promoteMember = shiftMember('promote', {
  operation: 'promoteMember',
  summary: 'Gives a learner a vote, once it has nearly caught up.',
  error: 'learner_behind',
});

const demoteMember = shiftMember('demote', {
  operation: 'demoteMember',
  summary: 'Takes a voter its vote; it goes on as a learner.',
  error: 'invalid_configuration',
});

const transferLeadership = defineRoute({
  method: 'POST',
  path: '/v1/cluster/leader',
  operation: 'transferLeadership',
  tag: 'cluster',
  summary: 'Hands leadership to another member, or to the one furthest ahead.',
  role: 'admin',
  params: noParams,
  query: noQuery,
  body: z.strictObject({ to: idSchema.optional() }),
  bodyExample: { to: 'm2' },
  success: {
    status: 200,
    description: 'Who led, who leads, and since which term.',
    schema: z.object({ from: idSchema, to: idSchema, term: z.int() }),
    example: { from: 'm1', to: 'm2', term: 5 },
  },
  errors: ['member_not_found', 'already_leader', 'no_successor', 'no_leader'],
  handle: async ({ body }, { ask }) => ({
    body: await ask(transferLeadershipContract, present(body)),
  }),
});

const listAlarms = defineRoute({
  method: 'GET',
  path: '/v1/cluster/alarms',
  operation: 'listAlarms',
  tag: 'cluster',
  summary: 'Alarms that are raised, and how full the store is.',
  role: 'viewer',
  params: noParams,
  query: noQuery,
  success: {
    status: 200,
    description: 'The alarms, the size of the store and its quota.',
    schema: alarmsContract.reply,
    example: {
      revision: 1031,
      alarms: [{ alarm: 'nospace', at: 1_795_000_000_000 }],
      bytes: 2_147_483_700,
      quotaBytes: 2_147_483_648,
    },
  },
  errors: ['no_leader'],
  handle: async (_request, { ask }) => ({ body: await ask(alarmsContract, {}) }),
});

const clearAlarm = defineRoute({
  method: 'DELETE',
  path: '/v1/cluster/alarms',
  operation: 'clearAlarm',
  tag: 'cluster',
  summary: 'Lowers an alarm; it comes back by itself if its cause is still there.',
  role: 'admin',
  params: noParams,
  query: z.strictObject({
    alarm: alarmSchema.shape.alarm,
    replica: idSchema.optional().meta({ description: 'The replica that the alarm is about.' }),
  }),
  success: {
    status: 200,
    description: 'Whether it was raised.',
    schema: clearAlarmContract.reply,
    example: { revision: 1032, changed: true },
  },
  errors: ['no_leader'],
  handle: async ({ query }, { ask }) => ({ body: await ask(clearAlarmContract, present(query)) }),
});

const settingsExample = {
  quotaBytes: 2_147_483_648,
  historyRevisions: 20_000,
  historyMs: 0,
  revision: 1032,
};

const getSettings = defineRoute({
  method: 'GET',
  path: '/v1/cluster/settings',
  operation: 'getSettings',
  tag: 'cluster',
  summary: 'What the store keeps to, on all replicas alike.',
  role: 'viewer',
  params: noParams,
  query: noQuery,
  success: {
    status: 200,
    description: 'The settings.',
    schema: settingsContract.reply,
    example: settingsExample,
  },
  errors: ['precondition_failed', 'no_leader'],
  isStill: true,
  handle: async (_request, { ask }) => {
    const body = await ask(settingsContract, {});
    return { body, revision: body.revision };
  },
});

const setSettings = defineRoute({
  method: 'POST',
  path: '/v1/cluster/settings',
  operation: 'setSettings',
  tag: 'cluster',
  summary: 'Changes settings; what is not named stays.',
  role: 'admin',
  params: noParams,
  query: noQuery,
  body: setSettingsContract.request,
  bodyExample: { quotaBytes: 2_147_483_648 },
  success: {
    status: 200,
    description: 'All settings as they are now.',
    schema: setSettingsContract.reply,
    example: settingsExample,
  },
  errors: ['no_leader', 'version_unsupported'],
  isUnkeyed: true,
  handle: async ({ body }, { ask }) => ({ body: await ask(setSettingsContract, present(body)) }),
});

export const clusterRoutes: readonly Route[] = [
  getCluster,
  listMembers,
  addMember,
  removeMember,
  promoteMember,
  demoteMember,
  transferLeadership,
  listAlarms,
  clearAlarm,
  getSettings,
  setSettings,
];
