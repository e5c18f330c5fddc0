// skein bench: measures the store and, with --vs, a peer in the same run; prints figures, ratios and which goals are met.

import { resolve } from 'node:path';
import {
  type BenchReport,
  type FigureRow,
  type Group,
  groups,
  planOf,
  runInWorld,
} from '@skein/bench';
import { SkeinError } from '@skein/contracts';
import pc from 'picocolors';
import { Output } from '../output/output';
import type { Cell } from '../output/table';
import { provided } from './provided';

export interface BenchOptions {
  readonly home: string;
  readonly path: string;
  readonly json: boolean;
  readonly vs?: string;
  readonly quick?: boolean;
  readonly only?: readonly string[];
  readonly rounds?: number;
  readonly duration?: number;
  readonly kills?: number;
  readonly keys?: number;
  readonly profile?: string;
}

export async function benchStore(options: BenchOptions): Promise<void> {
  const { home, path, json, vs, profile } = options;
  if (vs !== undefined && vs !== 'etcd') {
    throw new SkeinError('invalid_request', `'${vs}' is no store; 'etcd' is`, { field: 'vs' });
  }
  const out = new Output(json);
  const plan = planOf({
    quick: options.quick === true,
    only: options.only?.map(groupOf),
    rounds: options.rounds,
    durationMs: options.duration === undefined ? undefined : options.duration * 1_000,
    kills: options.kills,
    keys: options.keys,
  });
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  const report = await runInWorld({
    home,
    path,
    plan,
    progress,
    etcd: vs === undefined ? null : await provided('etcd', home),
    ...(profile === undefined ? {} : { profileDir: resolve(profile) }),
  });
  out.show(report, (shown) => reportText(shown, out));
}

function groupOf(name: string): Group {
  const known = groups.find((group) => group === name);
  if (known !== undefined) return known;
  const message = `There is no measurement '${name}': ${groups.join(', ')}`;
  throw new SkeinError('invalid_request', message, { field: 'only' });
}

function reportText(report: BenchReport, out: Output): string {
  const { machine, plan, peer, rows } = report;
  const line = machineLine(machine);
  const shown = out.table(
    ['what', 'measure', 'skein', ...(peer === null ? [] : [peer, 'ratio']), 'goal', ''],
    rows.map((row, at) => cells(row, rows[at - 1], peer !== null)),
    'nothing was measured',
  );
  const judged = rows.filter(({ met }) => met !== null);
  const met = judged.filter(({ met: isMet }) => isMet === true).length;
  const rounds = `${plan.rounds} ${plan.rounds === 1 ? 'round' : 'rounds'} of ${plan.durationMs / 1_000} s`;
  const foot = `medians (least–most) of ${rounds}; ${met} of ${judged.length} goals met`;
  return `${line}\n\n${shown}\n\n${foot}`;
}

export function machineLine(machine: BenchReport['machine']): string {
  const versions = [`Node ${machine.node}`, `nats-server ${machine.natsServer}`];
  if (machine.etcd !== null) versions.push(`etcd ${machine.etcd}`);
  return [
    `${machine.processors} × ${machine.processor}`,
    `${(machine.memoryMib / 1_024).toFixed(0)} GiB`,
    `Linux ${machine.kernel}`,
    `a flush to disk ${machine.flushUs} µs`,
    ...versions,
  ].join(', ');
}

export function cells(row: FigureRow, before: FigureRow | undefined, hasPeer: boolean): Cell[] {
  const title = before?.figure === row.figure ? ' ' : row.title;
  const verdict = row.met === null ? ' ' : row.met ? pc.green('✔ met') : pc.red('✘ missed');
  return [
    title,
    row.measure,
    spread(row, row.skein),
    ...(hasPeer ? [spread(row, row.peer), ratioText(row)] : []),
    row.goal ?? ' ',
    verdict,
  ];
}

export function ratioText({ ratio, ratioError }: Pick<FigureRow, 'ratio' | 'ratioError'>): string {
  if (ratio === null) return '';
  if (ratioError === null) return `${ratio.toPrecision(2)}×`;
  return `${ratio.toFixed(2)}× ±${ratioError.toFixed(2)}`;
}

export function spread({ unit }: Pick<FigureRow, 'unit'>, value: FigureRow['skein']): string {
  if (value === null) return '';
  const { median, least, most } = value;
  const suffix = unit === 'per second' ? '/s' : ` ${unit}`;
  const range = least === most ? '' : ` (${number(least)}–${number(most)})`;
  return `${number(median)}${suffix}${range}`;
}

export function number(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value < 10 ? 2 : 1);
}
