// skein simulate swim --paper: Lifeguard's evaluation, its runs shared among worker processes, its tables beside those of the
// paper. A worker takes one run a line on its standard input and answers a line of JSON.

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { SkeinError } from '@skein/contracts';
import {
  fullScale,
  lifeguardGoals,
  lifeguardReport,
  lifeguardRuns,
  quickScale,
  runLifeguard,
  type LifeguardOutcome,
  type LifeguardRow,
  type LifeguardRun,
  type LifeguardScale,
  type Percentiles,
} from '@skein/simulation';
import pc from 'picocolors';
import { Output } from '../output/output';
import type { Cell } from '../output/table';

export interface LifeguardOptions {
  readonly quick?: boolean;
  readonly members?: number;
  readonly seeds?: number;
  readonly seed?: number;
  readonly minutes?: number;
  readonly json: boolean;
}

const defaultSeed = 7;

export async function simulateLifeguard(what: string, options: LifeguardOptions): Promise<void> {
  if (what !== 'swim') {
    throw new SkeinError('invalid_request', `There is no paper about '${what}' here: swim`, {
      field: 'paper',
    });
  }
  const scale = scaleOf(options);
  const seed = options.seed ?? defaultSeed;
  const runs = lifeguardRuns(scale, seed);
  const out = new Output(options.json);
  const started = performance.now();
  const outcomes: LifeguardOutcome[] = [];
  const bar = out.bar(`${runs.length} runs of ${scale.memberCount} members`);
  await share(runs, (outcome) => {
    outcomes.push(outcome);
    bar.at(outcomes.length, runs.length, `${outcomes.length} of ${runs.length}`);
  });
  bar.end();
  const rows = lifeguardReport(outcomes);
  const goals = lifeguardGoals(rows, scale.memberCount);
  const seconds = Number(((performance.now() - started) / 1_000).toFixed(1));
  const report = { seed, scale, runs: runs.length, seconds, rows, goals };
  out.show(report, () => textOf(out, report));
  if (goals.some(({ met }) => met === false)) process.exitCode = 1;
}

/** The worker's side. */
export async function lifeguardPart(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(runLifeguard(JSON.parse(line) as LifeguardRun))}\n`);
  }
}

function scaleOf({ quick, members, seeds, minutes }: LifeguardOptions): LifeguardScale {
  const base = quick === true ? quickScale : fullScale;
  const memberCount = members ?? base.memberCount;
  const concurrencies = base.concurrencies.filter((stalled) => stalled <= memberCount / 4);
  if (memberCount < 16 || memberCount > 1_000) {
    throw new SkeinError('invalid_request', 'From 16 to 1000 members can be simulated', {
      field: 'members',
    });
  }
  return { ...base, memberCount, concurrencies, ...given({ seeds, minutes }) };
}

function given(terms: { seeds: number | undefined; minutes: number | undefined }): {
  seeds?: number;
  minutes?: number;
} {
  const { seeds, minutes } = terms;
  return {
    ...(seeds === undefined ? {} : { seeds }),
    ...(minutes === undefined ? {} : { minutes }),
  };
}

/** Each worker gets its next run when it has told of the last; they end with this process. */
async function share(
  runs: readonly LifeguardRun[],
  each: (outcome: LifeguardOutcome) => void,
): Promise<void> {
  const left = runs.values();
  const workers = Math.min(runs.length, Math.max(1, availableParallelism()));
  await Promise.all(Array.from({ length: workers }, () => work(left, each)));
}

async function work(
  left: Iterator<LifeguardRun>,
  each: (outcome: LifeguardOutcome) => void,
): Promise<void> {
  const args = ['--no-warnings', process.argv[1] ?? '', 'simulate-lifeguard-part'];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const stop = (): void => void child.kill();
  process.once('exit', stop);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let running: LifeguardRun | undefined;
  const next = (): void => {
    const { value } = left.next() as { value?: LifeguardRun };
    running = value;
    if (value === undefined) child.stdin.end();
    else child.stdin.write(`${JSON.stringify(value)}\n`);
  };
  next();
  for await (const line of createInterface({ input: child.stdout })) {
    each(JSON.parse(line) as LifeguardOutcome);
    next();
  }
  process.off('exit', stop);
  if ((await ended) === 0 && running === undefined) return;
  throw new SkeinError('internal', 'A run of the experiment ended badly', {
    facts: { run: running },
  });
}

interface Report {
  readonly seed: number;
  readonly scale: LifeguardScale;
  readonly runs: number;
  readonly seconds: number;
  readonly rows: readonly LifeguardRow[];
  readonly goals: ReturnType<typeof lifeguardGoals>;
}

function textOf(out: Output, { seed, scale, runs, seconds, rows, goals }: Report): string {
  const { memberCount, minutes, concurrencies, stallsMs, intervalsMs, seeds } = scale;
  return [
    `${runs} runs of ${memberCount} members, seed ${seed}, ${seeds} a setting; ${minutes} min each, ` +
      `C ${concurrencies.join(' ')}, D ${stallsMs.join(' ')} ms, I ${intervalsMs.join(' ')} ms; ${seconds} s`,
    `\n${pc.bold('False positives')}: deaths declared of members that never stalled; FP-: those declared at such members`,
    falsePositives(out, rows),
    `\n${pc.bold('False positives by concurrency')} (FP/FP-; the paper's sums run from about 900 at 1 to 80,000 at 32, Lifeguard's from 18 to 1,200)`,
    byConcurrency(out, rows, concurrencies),
    `\n${pc.bold('Messages and bytes')}`,
    traffic(out, rows),
    `\n${pc.bold('Detection')} of members stalled for 32.8 s, in seconds (median / 99 % / 99.9 %); due are 5 · log10 N of suspicion after the first failed probe`,
    detection(out, rows),
    '',
    ...goals.map(({ goal, share: found, met }) => {
      const mark = met === null ? pc.dim('–') : met ? pc.green('✔') : pc.red('✘');
      return `${mark} ${goal}: ${percent(found)}`;
    }),
  ].join('\n');
}

function falsePositives(out: Output, rows: readonly LifeguardRow[]): string {
  const head = ['configuration', 'FP', 'FP-', 'FP %', 'paper', 'FP- %', 'paper'];
  const lines = rows.map((row): Cell[] => [
    row.configuration,
    grouped(row.falsePositives),
    grouped(row.atHealthy),
    percent(row.shares.falsePositives),
    percent(row.published?.falsePositives),
    percent(row.shares.atHealthy),
    percent(row.published?.atHealthy),
  ]);
  return out.table(head, lines, 'nothing was run');
}

function byConcurrency(
  out: Output,
  rows: readonly LifeguardRow[],
  concurrencies: readonly number[],
): string {
  const head = ['configuration', ...concurrencies.map((stalled) => `C=${stalled}`)];
  const lines = rows.map((row): Cell[] => [
    row.configuration,
    ...concurrencies.map((stalled) => {
      const { falsePositives: all = 0, atHealthy = 0 } = row.byConcurrency[stalled] ?? {};
      return `${all}/${atHealthy}`;
    }),
  ]);
  return out.table(head, lines, 'nothing was run');
}

function traffic(out: Output, rows: readonly LifeguardRow[]): string {
  const head = ['configuration', 'messages', 'MiB', 'messages %', 'paper', 'bytes %', 'paper'];
  const lines = rows.map((row): Cell[] => [
    row.configuration,
    grouped(row.messages),
    grouped(Math.round(row.bytes / 2 ** 20)),
    percent(row.shares.messages),
    percent(row.published?.messages),
    percent(row.shares.bytes),
    percent(row.published?.bytes),
  ]);
  return out.table(head, lines, 'nothing was run');
}

function detection(out: Output, rows: readonly LifeguardRow[]): string {
  const head = ['configuration', 'first healthy member', 'all healthy members', 'stalls', 'missed'];
  const lines = rows.map((row): Cell[] => [
    row.configuration,
    times(row.firstMs),
    times(row.allMs),
    row.stalls,
    row.undeclared,
  ]);
  return out.table(head, lines, 'nothing was run');
}

function times({ median, p99, p999 }: Percentiles): string {
  return [median, p99, p999]
    .map((time) => (time === null ? '–' : (time / 1_000).toFixed(2)))
    .join(' / ');
}

function grouped(count: number): string {
  return count.toLocaleString('en');
}

function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? '–' : share.toFixed(2);
}
