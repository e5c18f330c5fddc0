// skein cluster …

import pc from 'picocolors';
import type { Json } from '../client/api';
import { fields } from '../output/table';
import type { Session } from '../session';

export async function status({ api, out }: Session) {
  const cluster = await api.get('/v1/cluster');
  out.show(cluster, () => {
    const summary = fields([
      ['cluster', cluster.clusterId],
      ['leader', cluster.leaderId],
      ['term', cluster.term],
      ['committed', cluster.commitIndex],
      ['revision', cluster.revision],
    ]);
    const members = out.table(
      ['member', 'role', 'match index', 'lag', 'healthy'],
      cluster.members.map((each: Json) => [
        each.id,
        each.role,
        each.matchIndex,
        each.lag,
        each.healthy ? pc.green('yes') : pc.red('no'),
      ]),
      'no members',
    );
    return `${summary}\n\n${members}`;
  });
}

export async function transfer({ api, out }: Session, to: string | undefined) {
  const moved = api.post('/v1/cluster/leader', to === undefined ? {} : { to });
  const done = await out.progress('transferring leadership', moved);
  out.show(done, () => `${done.to} leads since term ${done.term}, before it ${done.from}`);
}
