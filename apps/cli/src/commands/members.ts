// skein cluster add, promote, demote, remove: changing who the managers are, one at a time, watching each step to its end.

import { SkeinError } from '@skein/contracts';
import { path, type Json } from '../client/api';
import { dropManager, localCluster, startManager } from '../local/managers';
import { counted } from '../output/units';
import { demandConsent, type Session } from '../session';
import { marginText, quorumMargin } from './quorum';

const pollMs = 250;

export interface AddOptions {
  /** False: leave it a learner. */
  readonly promote: boolean;
  /** Seconds to wait for it to catch up. */
  readonly wait: number;
}

export async function add(session: Session, id: string, { promote: isToVote, wait }: AddOptions) {
  const { api, out } = session;
  const added = await api.post('/v1/cluster/members', { id, learner: true });
  const local = await localCluster(api.address.url);
  if (local === undefined) {
    if (out.json) return out.show({ ...added, started: false }, () => '');
    return out.line(joinText(id, await api.get('/v1/cluster')));
  }
  try {
    await out.progress(`starting ${id}`, startManager(local, id));
  } finally {
    local.detach();
  }
  if (!isToVote) {
    return out.show({ ...added, started: true }, () => `${id} runs as a learner`);
  }
  const promoted = await promoteWhenReady(session, id, wait);
  out.show({ ...promoted, started: true }, () => `${id} votes; ${votersText(promoted)}`);
}

/** What to run on the new manager's host. */
export function joinText(id: string, cluster: Json): string {
  return `${id} is a learner of ${cluster.clusterId} now. On its host, with an empty data directory, start

  SKEIN_CLUSTER_ID=${cluster.clusterId} SKEIN_REPLICA_ID=${id} SKEIN_JOIN=1 SKEIN_VOTERS=${id} \\
  SKEIN_DATA_DIR=/var/lib/skein/${id} SKEIN_NATS_URL=<as on the other managers> node dist/consensus.js

and then, from anywhere,

  skein cluster promote ${id}`;
}

export async function promote(session: Session, id: string, { wait }: { wait: number }) {
  const promoted = await promoteWhenReady(session, id, wait);
  session.out.show(promoted, () => `${id} votes; ${votersText(promoted)}`);
}

export async function demote({ api, out }: Session, id: string) {
  const done = await out.progress(
    `taking ${id} its vote`,
    api.post(path`/v1/cluster/members/${id}:demote`, {}),
  );
  out.show(done, () => `${id} is a learner; ${votersText(done)}`);
}

/** Shows what is left before it asks. A leader hands over first, so that nobody waits for an election. */
export async function remove(session: Session, id: string, options: { yes?: boolean }) {
  const { api, out } = session;
  const { members, configuration, leaderId } = await api.get('/v1/cluster/members');
  const rest = members.filter((each: Json) => each.id !== id);
  if (rest.length === members.length) {
    throw new SkeinError('member_not_found', `The cluster has no member '${id}'`, {
      facts: { members: members.map((each: Json) => each.id).join(', ') },
    });
  }
  const left = configuration && {
    voters: configuration.voters.filter((each: string) => each !== id),
    outgoing: [],
  };
  out.note(`without ${id}: ${marginText(quorumMargin(rest, left))}`);
  const question = `Remove manager ${id}? What it holds is thrown away; it can't come back with its data.`;
  if (!(await demandConsent(question, options.yes ?? false))) return;
  if (leaderId === id)
    await out.progress('handing leadership over', api.post('/v1/cluster/leader', {}));
  const removal = api.delete(path`/v1/cluster/members/${id}`);
  const done = await out.progress(`removing ${id}`, removal);
  const local = await localCluster(api.address.url);
  const ended = local !== undefined && (await dropManager(local, id).finally(() => local.detach()));
  out.show({ ...done, ended }, () => {
    const next = ended ? '; its process has ended, its data is gone' : '; stop its process now';
    return `${id} is no member any more${next}; ${votersText(done)}`;
  });
}

/** A learner is promoted once it is near the leader's log end; until then the leader refuses. */
async function promoteWhenReady(session: Session, id: string, waitSeconds: number): Promise<Json> {
  const { out } = session;
  const until = performance.now() + waitSeconds * 1_000;
  const bar = out.bar(`${id} catches up`);
  try {
    for (;;) {
      const seen = await memberOf(session, id);
      bar.at(seen.matchIndex, seen.lastIndex);
      if (seen.healthy && seen.lag <= 1_000) {
        const promoted = await tryPromote(session, id);
        if (promoted !== undefined) return promoted;
      }
      if (performance.now() > until) throw stillBehind(id, seen, waitSeconds);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  } finally {
    bar.end();
  }
}

async function tryPromote({ api }: Session, id: string): Promise<Json | undefined> {
  try {
    return await api.post(path`/v1/cluster/members/${id}:promote`, {});
  } catch (thrown) {
    if (isPassing(thrown)) return undefined;
    throw thrown;
  }
}

async function memberOf({ api }: Session, id: string) {
  const cluster = await api.get('/v1/cluster');
  const member = cluster.members.find((each: Json) => each.id === id);
  if (member !== undefined) {
    const { matchIndex, lag, healthy } = member;
    return { matchIndex, lag, healthy, lastIndex: cluster.lastIndex };
  }
  throw new SkeinError('member_not_found', `The cluster has no member '${id}'`, {
    facts: { members: cluster.members.map((each: Json) => each.id).join(', ') },
  });
}

function isPassing(thrown: unknown): boolean {
  const passing = ['learner_behind', 'change_in_progress', 'term_not_opened'];
  return passing.includes(SkeinError.from(thrown).code);
}

function stillBehind(id: string, seen: Json, waitSeconds: number): SkeinError {
  const how = seen.healthy ? `lacks ${counted(seen.lag, 'entry', 'entries')}` : 'is not heard';
  return new SkeinError('learner_behind', `After ${waitSeconds} s ${id} still ${how}`, {
    facts: { lag: seen.lag, next: `skein cluster promote ${id}` },
  });
}

function votersText({ configuration }: Json): string {
  return `voters are ${configuration.voters.join(', ')}`;
}
