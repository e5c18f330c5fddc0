// skein bench membership: how soon a killed agent is committed down, whether one that pauses is spared, and serf beside it.

import { benchMembership, type MembershipReport } from '@skein/bench';
import { Output } from '../output/output';
import { cells, machineLine } from './bench';
import { provided } from './provided';

export interface BenchMembershipOptions {
  readonly home: string;
  readonly path: string;
  readonly json: boolean;
  readonly vs?: string;
  readonly quick?: boolean;
  readonly kills?: number;
  readonly preset?: 'lan' | 'local';
  /** Milliseconds. */
  readonly pause?: number;
}

export async function benchMembershipCommand(options: BenchMembershipOptions): Promise<void> {
  const { home, path, json, vs, quick = false, preset = 'lan' } = options;
  const out = new Output(json);
  const report = await benchMembership({
    home,
    path,
    preset,
    kills: options.kills ?? (quick ? 2 : 8),
    pauseMs: options.pause ?? (preset === 'lan' ? 2_500 : 1_000),
    serf: vs === 'serf' ? await provided('serf', home) : null,
    progress: (text) => void process.stderr.write(`${text}\n`),
  });
  out.show(report, (shown) => textOf(shown, vs, out));
  if (report.missed > 0) process.exitCode = 1;
}

function textOf(report: MembershipReport, vs: string | undefined, out: Output): string {
  const { machine, hosts, kills, preset, rows } = report;
  const figures = out.table(
    ['what', 'measure', 'skein', ...(vs === undefined ? [] : ['serf', 'ratio']), 'goal', ''],
    rows.map((row, at) => cells(row, rows[at - 1], vs !== undefined)),
    'nothing was measured',
  );
  const foot = `${hosts} agents with the preset ${preset}, ${kills} kills and as many pauses; down as the gateway tells it`;
  return `${machineLine(machine)}\n\n${figures}\n\n${foot}`;
}
