// skein cluster recover, unlock, rotate-key: what is done to single replicas. None of it needs a leader, as long as gateway
// and NATS live.

import { readFileSync } from 'node:fs';
import { SkeinError } from '@skein/contracts';
import { path, type Json } from '../client/api';
import { localManagers } from '../local/managers';
import { fields } from '../output/table';
import { counted } from '../output/units';
import { demandConsent, type Session } from '../session';

export interface RecoverOptions {
  readonly preview?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

export async function recover(session: Session, replica: string, options: RecoverOptions) {
  const { api, out } = session;
  const chosen = await preview(session, replica);
  const rivals = await rivalsOf(session, chosen);
  if (options.preview === true) {
    return out.show({ ...chosen, others: rivals }, () => previewText(out, chosen, rivals));
  }
  out.note(previewText(out, chosen, rivals));
  const ahead = rivals.find((each) => each.error === undefined && isAhead(each, chosen));
  if (ahead !== undefined && options.force !== true) {
    throw new SkeinError(
      'configuration_changed',
      `${ahead.replicaId} is further ahead than ${replica}`,
      {
        facts: { next: `skein cluster recover ${ahead.replicaId}` },
      },
    );
  }
  const question = `Make ${replica} the only voter of epoch ${chosen.nextEpoch}? What only the others held is lost.`;
  if (!(await demandConsent(question, options.yes ?? false))) return;
  const force = options.force === true ? { force: true } : {};
  const body = { action: 'confirm', token: chosen.token, ...force };
  const confirmed = api.post(path`/v1/cluster/replicas/${replica}:recover`, body);
  const done = await out.progress(`recovering from ${replica}`, confirmed);
  const cluster = await out.progress('waiting for a leader', leaderOf(session, replica));
  out.show({ ...done, leaderId: cluster.leaderId }, () => doneText(done, cluster, rivals));
}

function preview({ api }: Session, replica: string): Promise<Json> {
  return api.post(path`/v1/cluster/replicas/${replica}:recover`, { action: 'preview' });
}

/** What the other members hold, as far as they answer. */
async function rivalsOf(session: Session, chosen: Json): Promise<Json[]> {
  const { voters, outgoing, learners } = chosen.configuration;
  const others = [...new Set<string>([...voters, ...outgoing, ...learners])];
  const asked = others
    .filter((id) => id !== chosen.replicaId)
    .map((id) =>
      preview(session, id).catch((thrown: unknown) => {
        const { code, message } = SkeinError.from(thrown);
        return { replicaId: id, error: { code, message } };
      }),
    );
  return Promise.all(asked);
}

/** As Raft compares logs: the last entry's term, then its index. */
export function isAhead(one: Json, other: Json): boolean {
  if (one.lastTerm !== other.lastTerm) return one.lastTerm > other.lastTerm;
  return one.lastIndex > other.lastIndex;
}

function previewText(out: Session['out'], chosen: Json, rivals: Json[]): string {
  const { voters } = chosen.configuration;
  const facts = fields([
    ['replica', `${chosen.replicaId} of ${chosen.clusterId}`],
    ['voters now', voters.join(', ')],
    ['voters then', chosen.replicaId],
    ['epoch', `${chosen.epoch} → ${chosen.nextEpoch}`],
    ['log', `last ${chosen.lastIndex} (term ${chosen.lastTerm}), committed ${chosen.commitIndex}`],
    ['revision', chosen.revision],
    ['undecided', undecidedText(chosen)],
    ['hears', chosen.heard.join(', ')],
    ['damaged', chosen.isRecovering ? 'its log has lost entries' : undefined],
  ]);
  const rows = rivals.map((each) =>
    each.error === undefined
      ? [
          each.replicaId,
          each.lastTerm,
          each.lastIndex,
          each.revision,
          isAhead(each, chosen) ? 'further ahead' : 'not ahead',
        ]
      : [each.replicaId, undefined, undefined, undefined, each.error.code],
  );
  const head = ['other', 'last term', 'last index', 'revision', 'seen'];
  return `${facts}\n\n${out.table(head, rows, 'no other members')}`;
}

function undecidedText({ lastIndex, commitIndex }: Json): string {
  return `${counted(lastIndex - commitIndex, 'entry', 'entries')} at the log's end, to be kept`;
}

async function leaderOf({ api }: Session, replica: string): Promise<Json> {
  const until = performance.now() + 15_000;
  for (;;) {
    const cluster = await api.ask('/v1/cluster').catch((thrown: unknown) => {
      const error = SkeinError.from(thrown);
      if (!error.retryable || performance.now() > until) throw error;
      return undefined;
    });
    if (cluster?.leaderId === replica) return cluster;
    if (performance.now() > until)
      throw new SkeinError('no_leader', `${replica} does not lead yet`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function doneText(done: Json, cluster: Json, rivals: Json[]): string {
  const old = rivals.map(({ replicaId }) => replicaId).join(', ');
  const next =
    old === ''
      ? ''
      : `
The others (${old}) belong to the old epoch and are not listened to. Stop them, empty their data
directories, and take new managers in with: skein cluster add <name>`;
  return `${done.replicaId} leads alone in epoch ${done.nextEpoch}, term ${cluster.term}, revision ${cluster.revision}.${next}`;
}

export async function unlock(
  { api, out }: Session,
  replicas: string[],
  options: { keyFile?: string },
) {
  const key = keyFrom(options.keyFile, 'key-file');
  const done: Json[] = [];
  for (const replica of replicas) {
    const opened = api.post(path`/v1/cluster/replicas/${replica}:unlock`, { key });
    done.push(await out.progress(`unlocking ${replica}`, opened));
  }
  out.show({ replicas: done }, () =>
    done
      .map((each) => `${each.replicaId} ${each.wasLocked ? 'is unlocked' : 'was not locked'}`)
      .join('\n'),
  );
}

export async function rotateKey(
  session: Session,
  replicas: string[],
  options: { newKeyFile?: string; all?: boolean; yes?: boolean },
) {
  const { api, out } = session;
  const named = options.all === true ? await everyReplica(session) : replicas;
  if (named.length === 0) {
    throw new SkeinError('invalid_request', 'Name the replicas, or say --all', {
      field: 'replicas',
    });
  }
  const body =
    options.newKeyFile === undefined
      ? { kind: 'data' }
      : { kind: 'unlock', newKey: keyFrom(options.newKeyFile, 'new-key-file') };
  if (body.kind === 'unlock') {
    const question = `Lock ${named.join(', ')} with the new key? The old one opens them no more.`;
    if (!(await demandConsent(question, options.yes ?? false))) return;
  }
  const done: Json[] = [];
  for (const replica of named) {
    const rotated = api.post(path`/v1/cluster/replicas/${replica}:rotate-key`, body);
    done.push(await out.progress(`renewing the key of ${replica}`, rotated));
  }
  const what = body.kind === 'data' ? 'writes with a new data key' : 'opens with the new key only';
  out.show({ replicas: done }, () => done.map((each) => `${each.replicaId} ${what}`).join('\n'));
}

async function everyReplica({ api }: Session): Promise<string[]> {
  const local = await localManagers(api.address.url);
  if (local !== undefined) return local;
  const { members } = await api.get('/v1/cluster/members');
  return members.map(({ id }: Json) => id);
}

/** Keys are never arguments, which any user of the machine could read: from a file, `-` for standard input, or SKEIN_KEY. */
export function keyFrom(file: string | undefined, field: string): string {
  const text = file === undefined ? process.env['SKEIN_KEY'] : readKey(file, field);
  const key = text?.trim() ?? '';
  if (/^[A-Za-z0-9+/]{43}=$/.test(key)) return key;
  throw new SkeinError(
    'invalid_request',
    text === undefined
      ? `Give the key with --${field} FILE or in SKEIN_KEY; make one with: openssl rand -base64 32`
      : 'The key is not 32 bytes in base64',
    { field },
  );
}

function readKey(file: string, field: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new SkeinError('invalid_request', `'${file}' can't be read`, { field, cause });
  }
}
