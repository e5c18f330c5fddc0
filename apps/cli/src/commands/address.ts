// skein address show, skein address audit, skein explain

import pc from 'picocolors';
import { path, type Json } from '../client/api';
import { parseMoment } from '../output/moment';
import { time } from '../output/table';
import type { Session } from '../session';

export async function show(
  { api, out }: Session,
  address: string,
  options: { network?: string; at?: string },
) {
  const { network, at: moment } = options;
  const at = moment === undefined ? undefined : parseMoment(moment, Date.now());
  const found = await api.get(path`/v1/addresses/${address}`, { network, at });
  const head = ['network', 'holder', 'host', 'since', 'until', 'request'];
  const row = (each: Json) => [
    each.network,
    each.endpointName ?? each.endpointId ?? each.kind,
    each.host,
    `${time(each.since)} (${each.sinceRevision})`,
    each.until === undefined ? undefined : `${time(each.until)} (${each.untilRevision})`,
    each.request,
  ];
  out.show(found, () => {
    const when = at === undefined ? 'now' : `at ${at}`;
    const holders = out.table(head, found.holders.map(row), `nobody holds ${address} ${when}`);
    if (found.past.length === 0) return holders;
    return `${holders}\n\n${pc.bold('before')}\n${out.table(head, found.past.map(row), '')}`;
  });
}

/** Exit code 4 if something is left that differs. */
export async function audit(
  { api, out }: Session,
  options: { network?: string; repair?: boolean; grace?: number },
) {
  const { network, repair, grace: graceMs } = options;
  const wish = Object.entries({ network, repair, graceMs }).filter(([, one]) => one !== undefined);
  const asked = api.post('/v1/addresses:audit', Object.fromEntries(wish));
  const found = await out.progress('looking at the store, the actors and every kernel', asked);
  out.show(found, () => {
    const examined = Object.entries(found.examined).map(([what, count]) => `${count} ${what}`);
    const head = `looked at ${examined.join(', ')} at revision ${found.revision}`;
    const silent =
      found.silent.length === 0
        ? ''
        : `\n${pc.yellow(`no answer from ${found.silent.join(', ')}`)}`;
    const rows = found.findings.map((each: Json) => [
      each.kind,
      each.subject,
      each.outcome,
      each.repair === undefined ? each.message : `${each.message}; ${each.repair}`,
    ]);
    const table = out.table(['finding', 'about', 'outcome', 'what'], rows, 'nothing differs');
    const left = found.findings.some((each: Json) => each.outcome === 'repairable');
    const hint = left ? '\n`skein address audit --repair` puts right what is repairable' : '';
    return `${head}${silent}\n\n${table}${hint}`;
  });
  if (!found.ok) process.exitCode = 4;
}

/** Exit code 4 if the way is broken somewhere. */
export async function explain({ api, out }: Session, network: string, from: string, to: string) {
  const asked = api.get('/v1/explain', { network, from, to });
  const found = await out.progress('asking every host on the way', asked);
  out.show(found, () => {
    const steps = found.steps.map((each: Json, at: number) => {
      const mark = each.ok ? pc.green('✔') : pc.red('✘');
      const look = at === found.firstWrong ? pc.red('   ← look here first') : '';
      return `${mark} ${pc.bold(each.step)}${look}\n    ${each.detail}`;
    });
    const broken = `the way is broken at ${found.steps[found.firstWrong]?.step}`;
    const verdict = found.ok ? pc.green('the way is complete') : pc.red(broken);
    return `${steps.join('\n')}\n\n${verdict} at revision ${found.revision}`;
  });
  if (!found.ok) process.exitCode = 4;
}
