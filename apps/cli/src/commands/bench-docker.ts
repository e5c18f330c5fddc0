// skein bench docker: how long people wait for docker with Skein, beside Swarm and Docker's own bridge.

import { benchDocker, dockerGroups, type DockerReport, type LimitRow } from '@skein/bench';
import { SkeinError } from '@skein/contracts';
import { Output } from '../output/output';
import { cells, machineLine, spread, type BenchOptions } from './bench';

export interface BenchDockerOptions extends BenchOptions {
  readonly containers?: number;
}

export async function benchDockerCommand(options: BenchDockerOptions): Promise<void> {
  const { home, path, json, quick = false, vs } = options;
  demandSwarm(vs);
  const out = new Output(json);
  const report = await benchDocker({
    home,
    path,
    rounds: options.rounds ?? (quick ? 2 : 10),
    containers: options.containers ?? (quick ? 9 : 100),
    only: options.only ?? dockerGroups,
    withSwarm: vs === 'swarm',
    progress: (text) => void process.stderr.write(`${text}\n`),
  });
  out.show(report, (shown) => textOf(shown, out));
  if (report.missed > 0) process.exitCode = 1;
}

export function demandSwarm(vs: string | undefined): void {
  if (vs === undefined || vs === 'swarm') return;
  throw new SkeinError('invalid_request', `'${vs}' has no overlay; 'swarm' has`, { field: 'vs' });
}

export function limitTable(rows: readonly LimitRow[], peer: string | null, out: Output): string {
  const others = Object.keys(rows[0]?.others ?? {});
  return out.table(
    ['what', 'measure', 'skein', ...(peer === null ? [] : [peer, 'ratio']), 'goal', '', ...others],
    rows.map((row, at) => [
      ...cells(row, rows[at - 1], peer !== null),
      ...others.map((name) => spread(row, row.others[name] ?? null)),
    ]),
    'nothing was measured',
  );
}

function textOf({ machine, peer, engine, rows, rounds }: DockerReport, out: Output): string {
  const figures = limitTable(rows, peer, out);
  const foot =
    `medians (least–most) of ${rounds} rounds, Docker ${engine}, the docker command included; the first ping is one of ` +
    'those that another host sends every 2 ms';
  return `${machineLine(machine)}\n\n${figures}\n\n${foot}`;
}
