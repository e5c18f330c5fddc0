// skein cluster status, members, transfer, alarms, quota: what the managers are and how they fare.

import { SkeinError } from '@skein/contracts';
import pc from 'picocolors';
import { path, type Json } from '../client/api';
import { localManagers } from '../local/managers';
import { fields, time, type Cell } from '../output/table';
import { counted, formatBytes, parseBytes } from '../output/units';
import type { Session } from '../session';
import { marginText, quorumMargin } from './quorum';

export interface StatusOptions {
  readonly watch?: string | boolean;
  /** `true`: all replicas that are known; else their ids, separated by commas. */
  readonly local?: string | boolean;
}

export async function status(session: Session, { watch, local }: StatusOptions) {
  const { out } = session;
  const look =
    local === undefined ? () => leaderView(session) : () => localView(session, idsOf(local));
  if (watch === undefined) {
    const seen = await look();
    out.show(seen.value, () => seen.text());
    if (seen.isIll) process.exitCode = 5;
    return;
  }
  await repeat(secondsOf(watch), async () => {
    const seen = await look().catch((thrown: unknown) => {
      const { code, message } = SkeinError.from(thrown);
      return { value: { error: { code, message } }, text: () => pc.red(message), isIll: true };
    });
    if (out.json) out.line(JSON.stringify(seen.value));
    else out.screen(`${time(Date.now())}\n${seen.text()}`);
  });
}

interface View {
  readonly value: unknown;
  readonly text: () => string;
  readonly isIll: boolean;
}

async function leaderView({ api, out }: Session): Promise<View> {
  // The gateway waits an election out by itself: who asks wants to hear soon that nobody leads.
  const cluster = await api.ask('/v1/cluster');
  const margin = quorumMargin(cluster.members, cluster.configuration);
  return {
    value: { ...cluster, quorum: margin },
    isIll: false,
    text: () =>
      `${summary(cluster, marginText(margin))}\n\n${out.table(memberHead, cluster.members.map(memberRow), 'no members')}`,
  };
}

function summary(cluster: Json, quorum: string): string {
  const { leaderId, term, commitIndex, appliedIndex, lastIndex, epoch, protocolVersion } = cluster;
  return fields([
    ['cluster', cluster.clusterId],
    ['leader', `${leaderId ?? pc.red('none')}, term ${term}`],
    ['quorum', /none|lost/.test(quorum) ? pc.yellow(quorum) : quorum],
    ['log', `last ${lastIndex}, committed ${commitIndex}, applied ${appliedIndex}`],
    ['revision', revisionText(cluster)],
    ['store', storeText(cluster)],
    ['epoch', epoch],
    ['protocol', protocolVersion],
    ['members', jointText(cluster.configuration)],
    ['alarms', alarmsText(cluster.alarms)],
  ]);
}

function revisionText({ revision, compactRevision }: Json): string {
  return compactRevision > 0 ? `${revision}, history from ${compactRevision + 1}` : `${revision}`;
}

function storeText({ keys, bytes, quotaBytes }: Json): string | undefined {
  if (bytes === undefined) return undefined;
  const limit = quotaBytes > 0 ? ` of ${formatBytes(quotaBytes)}` : '';
  return `${formatBytes(bytes)}${limit}${keys === undefined ? '' : `, ${counted(keys, 'key')}`}`;
}

function jointText(configuration: Json): string | undefined {
  if (!(configuration?.outgoing?.length > 0)) return undefined;
  return pc.yellow(
    `voters ${configuration.outgoing.join(', ')} are being replaced by ${configuration.voters.join(', ')}`,
  );
}

function alarmsText(alarms: Json[] | undefined): string | undefined {
  if (alarms === undefined) return undefined;
  if (alarms.length === 0) return 'none';
  return pc.red(alarms.map(alarmText).join(', '));
}

function alarmText({ alarm, replica }: Json): string {
  return replica === undefined ? alarm : `${alarm} (${replica})`;
}

const memberHead = [
  'member',
  'role',
  'match index',
  'lag',
  'disk',
  'snapshot',
  'version',
  'state',
] as const;

function memberRow(member: Json): Cell[] {
  const { id, role, matchIndex, lag, diskLatencyMs, snapshotIndex, version } = member;
  return [
    id,
    role,
    matchIndex,
    lag,
    latency(diskLatencyMs),
    snapshotIndex,
    version,
    stateText(member),
  ];
}

function latency(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${ms.toFixed(1)} ms`;
}

export function stateText(member: Json): string {
  if (member.isLocked === true) return pc.yellow('locked');
  if (member.isRecovering === true) return pc.yellow('recovering');
  if (member.pendingSnapshotIndex > 0) return pc.yellow('gets snapshot');
  if (member.isInstalling === true) return pc.yellow('installs snapshot');
  return member.healthy === false ? pc.red('unreachable') : pc.green('healthy');
}

/** How one that is asked for and not heard fails. */
const absentCodes = new Set(['unavailable', 'deadline_exceeded', 'member_not_found']);

/** Each replica as it sees itself: works without a leader, as long as the gateway and NATS do. */
async function localView(session: Session, named: string[] | undefined): Promise<View> {
  const { api, out } = session;
  const ids = named ?? (await knownReplicas(session));
  const asked = ids.map(async (id): Promise<Json> => {
    try {
      return await api.ask(path`/v1/cluster/replicas/${id}`);
    } catch (thrown) {
      const { code, message } = SkeinError.from(thrown);
      if (!absentCodes.has(code)) throw thrown;
      return { replicaId: id, error: { code, message } };
    }
  });
  const replicas = await Promise.all(asked);
  return {
    value: { replicas },
    isIll: replicas.every(({ error }) => error !== undefined),
    text: () => out.table(replicaHead, replicas.map(replicaRow), 'no replicas'),
  };
}

const replicaHead = [
  'replica',
  'role',
  'leader',
  'term',
  'last',
  'committed',
  'applied',
  'revision',
  'disk',
  'snapshot',
  'epoch',
  'version',
  'state',
] as const;

function replicaRow(replica: Json): Cell[] {
  if (replica.error !== undefined) {
    const state = replica.error.code === 'member_not_found' ? 'no member' : 'unreachable';
    return [replica.replicaId, ...Array<Cell>(11).fill(undefined), pc.red(state)];
  }
  const { replicaId, role, leaderId, term, lastIndex, commitIndex, appliedIndex } = replica;
  return [
    replicaId,
    role,
    leaderId,
    term,
    lastIndex,
    commitIndex,
    appliedIndex,
    replica.revision,
    latency(replica.diskLatencyMs),
    replica.snapshotIndex,
    replica.epoch,
    replica.version,
    stateText(replica),
  ];
}

/** From the leader, else from the local cluster that the gateway belongs to. */
async function knownReplicas({ api }: Session): Promise<string[]> {
  try {
    const { members } = await api.ask('/v1/cluster/members');
    return members.map(({ id }: Json) => id);
  } catch (thrown) {
    const local = await localManagers(api.address.url);
    if (local !== undefined) return local;
    if (SkeinError.from(thrown).code !== 'no_leader') throw thrown;
    throw new SkeinError('no_leader', 'Nobody leads, so the replicas have to be named', {
      facts: { example: 'skein cluster status --local m1,m2,m3' },
      cause: thrown,
    });
  }
}

export async function members({ api, out }: Session) {
  const found = await api.get('/v1/cluster/members');
  out.show(found, () => {
    const outgoing: string[] = found.configuration?.outgoing ?? [];
    const rows = found.members.map((each: Json) => [
      each.id,
      each.isLearner === true ? 'learner' : outgoing.includes(each.id) ? 'voter, leaving' : 'voter',
      each.id === found.leaderId ? 'leads' : '',
      each.priority,
      each.matchIndex,
      each.lag,
      each.version,
      stateText(each),
    ]);
    const head = ['member', 'part', '', 'priority', 'match index', 'lag', 'version', 'state'];
    const margin = marginText(quorumMargin(found.members, found.configuration));
    return `${out.table(head, rows, 'no members')}\n\n${margin}`;
  });
}

export async function transfer({ api, out }: Session, to: string | undefined) {
  const moved = api.post('/v1/cluster/leader', to === undefined ? {} : { to });
  const done = await out.progress('transferring leadership', moved);
  out.show(done, () => `${done.to} leads since term ${done.term}, before it ${done.from}`);
}

export async function alarms({ api, out }: Session) {
  const found = await api.get('/v1/cluster/alarms');
  out.show(found, () => {
    const rows = found.alarms.map((each: Json) => [each.alarm, each.replica, time(each.at)]);
    const full = `store  ${storeText(found)}`;
    return `${out.table(['alarm', 'replica', 'since'], rows, 'no alarms')}\n\n${full}`;
  });
}

export async function clearAlarm(
  { api, out }: Session,
  alarm: string,
  options: { replica?: string },
) {
  const done = await api.delete('/v1/cluster/alarms', { alarm, replica: options.replica });
  out.show(done, () => (done.changed ? `${alarm} cleared` : `${alarm} was not raised`));
}

export async function quota({ api, out }: Session, size: string | undefined) {
  const quotaBytes = size === undefined || size === 'none' ? 0 : parseBytes(size, 'size');
  const settings =
    size === undefined
      ? await api.get('/v1/cluster/settings')
      : await api.post('/v1/cluster/settings', { quotaBytes });
  out.show(settings, () =>
    settings.quotaBytes === 0 ? 'no limit' : formatBytes(settings.quotaBytes),
  );
  if (size !== undefined && quotaBytes > 0) await warnOfUse({ api, out }, quotaBytes);
}

async function warnOfUse({ api, out }: Session, quotaBytes: number): Promise<void> {
  const { bytes } = await api.get('/v1/cluster/alarms');
  if (bytes < quotaBytes) return;
  out.note(
    `${pc.yellow('warning:')} the store holds ${formatBytes(bytes)} already: the next write is refused, as no_space, and ` +
      'raises the alarm nospace, which stays; reads and deletes go on. Delete keys and compact (skein kv compact <revision>), ' +
      'or raise the quota; then: skein cluster alarms clear nospace',
  );
}

function idsOf(local: string | boolean): string[] | undefined {
  return typeof local === 'string' ? local.split(',').map((id) => id.trim()) : undefined;
}

function secondsOf(watch: string | boolean): number {
  if (watch === true) return 1;
  const seconds = Number(watch);
  if (seconds > 0 && seconds <= 3_600) return seconds;
  throw new SkeinError('invalid_request', '--watch takes seconds from above 0 to 3600, as in 0.5', {
    field: 'watch',
  });
}

/** Until Ctrl-C. */
async function repeat(seconds: number, work: () => Promise<void>): Promise<void> {
  const control = new AbortController();
  process.once('SIGINT', () => control.abort());
  while (!control.signal.aborted) {
    await work();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, seconds * 1_000);
      control.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
